/** A name as a header can carry it: visible ASCII. */
export function headerText(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, "?");
}
