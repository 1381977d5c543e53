/**
 * Names are labels for people; ids are identity. Two live nodes with one name are told apart by a suffix, which the one
 * with the greater id chooses for itself, once (ids are made in order of time, so that is the later one).
 */
import type { Context } from "./context.ts";

/**
 * A free name for a node: its own, if no other that goes before it has that, else the label with the first free suffix.
 * Several that clash at once skip as many free suffixes as there are others before them, so that they settle in one
 * round. `others` are the names of all other members, with their ids.
 */
export function chooseName(
  own: { readonly id: string; readonly name: string },
  others: Iterable<{ readonly id: string; readonly name: string }>,
  label: string,
): string {
  const taken = new Set<string>();
  let before = 0;
  for (const other of others) {
    taken.add(other.name);
    if (other.name === own.name && other.id < own.id) before += 1;
  }
  if (before === 0) return own.name;
  let skip = before - 1;
  for (let suffix = 2; ; suffix += 1) {
    const name = `${label}-${suffix}`;
    if (!taken.has(name) && skip-- === 0) return name;
  }
}

/** Renames this node where its name belongs to another. True when it did. */
export function settleName({ self, view, label, emit, log, restate }: Context, joining: boolean): boolean {
  const { name } = self.claim().meta;
  const others = function* (): Generator<{ id: string; name: string }> {
    for (const { claim, status, id } of view.all()) {
      // Whoever joins gives way to everybody who is there; the id decides among those that joined side by side.
      if (status !== "left") yield { id: joining ? "" : id, name: claim.meta.name };
    }
  };
  const chosen = chooseName({ id: self.id, name }, others(), label);
  if (chosen === name) return false;
  self.amend({ name: chosen });
  restate();
  emit({ kind: "keep_name", name: chosen });
  log("warn", "mesh_name_taken", { name, chosen });
  return true;
}
