import { AstromeshError } from "../../core/index.ts";

/** A word of an expression. */
export interface Token {
  readonly kind: "number" | "name" | "sign" | "end";
  readonly text: string;
  /** Where it begins; the first character is 1. */
  readonly at: number;
}

const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([a-zA-Z]\w*)|(\*\*|[-+*/%^(),]))/y;

/** The words of an expression, the last of them `end`. Throws `tool_invalid_arguments`. */
export function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      const at = from + text.slice(from).search(/\S/);
      throw unreadable({ text: text.slice(at, at + 1), at: at + 1 }, "it has no meaning here");
    }
    const [whole, number, name, sign = ""] = match;
    const kind = number !== undefined ? "number" : name !== undefined ? "name" : "sign";
    const word = number ?? name ?? sign;
    found.push({ kind, text: word, at: from + whole.length - word.length + 1 });
  }
  return [...found, { kind: "end", text: "the end", at: text.length + 1 }];
}

/** What is thrown at a word that does not fit. */
export function unreadable(token: Pick<Token, "text" | "at">, why: string): AstromeshError {
  return new AstromeshError("tool_invalid_arguments", `cannot read "${token.text}" at character ${token.at}: ${why}`);
}
