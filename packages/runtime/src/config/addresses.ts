/** The address of a node, from `host:port`, `host` (port 8000) or a URL; null when it is neither. */
export function nodeUrl(address: string): string | null {
  const text = /^[a-z]+:\/\//i.test(address)
    ? address
    : `http://${/:\d+$/.test(address) ? address : `${address}:8000`}`;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const plain = /^https?:$/.test(url.protocol) && url.hostname !== "" && url.username === "" && url.pathname === "/";
  return plain ? text.replace(/\/$/, "") : null;
}

/** OLLAMA_HOST also tells an Ollama server where to listen: its port is optional, and 0.0.0.0 means this machine. */
export function ollamaUrl(value: string): string | null {
  const text = /^https?:\/\//i.test(value) ? value : `http://${value}`;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.port === "" && !/^https?:\/\//i.test(value)) url.port = "11434";
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  return url.href.replace(/\/$/, "");
}
