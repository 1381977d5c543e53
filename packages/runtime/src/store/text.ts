/**
 * What a text column cannot hold: PostgreSQL refuses NUL, and half a surrogate pair has no UTF-8 (both databases
 * would keep U+FFFD, so that two different keys became one). Such characters are written as ESCAPE and four hex
 * digits; ESCAPE itself, a private-use character that nobody types, too.
 */
const ESCAPE = "\ue01a";
const ESCAPED = /\ue01a([0-9a-f]{4})/g;
/** Cheap to look for; of these, whole surrogate pairs are fine. */
const SUSPECT = /[\ue01a\ud800-\udfff]/;
const NUL = "\0";

/** A text as a column can hold it. */
export function toColumnText(text: string): string {
  if (!text.includes(NUL) && !SUSPECT.test(text)) return text;
  return Array.from(text, (char) => (isUnkeepable(char) ? escaped(char) : char)).join("");
}

/** The text that `toColumnText` was given. */
export function fromColumnText(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  return text.replaceAll(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Parameters of a statement with every text made fit. */
export function toColumnValues(values: readonly unknown[]): unknown[] {
  return values.map((value) => (typeof value === "string" ? toColumnText(value) : value));
}

/** Turns the texts of rows back, in place: the rows were made for us by the driver. */
export function fromColumnRows(rows: readonly unknown[]): readonly unknown[] {
  for (const row of rows as readonly Record<string, unknown>[]) {
    for (const column in row) {
      const value = row[column];
      if (typeof value === "string" && value.includes(ESCAPE)) row[column] = fromColumnText(value);
    }
  }
  return rows;
}

/** @param char one code point; half a surrogate pair comes alone. */
function isUnkeepable(char: string): boolean {
  return char === NUL || char === ESCAPE || (char >= "\ud800" && char <= "\udfff" && char.length === 1);
}

function escaped(char: string): string {
  return ESCAPE + char.charCodeAt(0).toString(16).padStart(4, "0");
}
