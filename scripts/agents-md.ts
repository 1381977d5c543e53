import { LIBRARIES, PLACES } from "./layers.ts";

const BEGIN = "<!-- layers: made by `npm run gen` from scripts/layers.ts -->";
const END = "<!-- end of layers -->";

/** The page with its lists of places and libraries made anew between the two marks. */
export function renderLayerLists(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`AGENTS.md has lost its marks: ${BEGIN} .. ${END}`);
  const lists = [
    "### Who may import whom",
    "",
    ...PLACES.map((place) => {
      const types = place.types === undefined ? "" : `; types of ${place.types.join(", ")}`;
      const pure = place.pure === true ? "; no Node built-ins" : "";
      return `- \`${place.at}\` (${place.about}): ${place.rooms.join(", ") || "nothing"}${types}${pure}`;
    }),
    "",
    "### Where a library may be imported",
    "",
    ...LIBRARIES.map((entry) => {
      const places = entry.places.map((at) => `\`${at}\``).join(", ");
      return `- ${entry.libraries.join(", ")}: ${places || "packages/client only"}`;
    }),
  ];
  return `${page.slice(0, begin)}${BEGIN}\n\n${lists.join("\n")}\n\n${page.slice(end)}`;
}
