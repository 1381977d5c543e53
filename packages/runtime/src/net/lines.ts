/**
 * The lines of a byte stream, those of one chunk together: a consumer works through them without waiting in between.
 * Lines end with LF or CRLF; empty ones are left out; the last one needs no end.
 *
 * @param limitChars a line longer than this throws RangeError instead of filling the memory
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  limitChars: number,
): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > limitChars) throw new RangeError(`a line is longer than ${limitChars} characters`);
    const whole = lines.map(withoutReturn).filter((line) => line !== "");
    if (whole.length > 0) yield whole;
  }
  const last = withoutReturn(rest + decoder.decode());
  if (last !== "") yield [last];
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
