/** Groups items by a number, such as their group's id, and keeps their order. (`Map.groupBy` is not in Node 20.) */
export function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const items = groups.get(keyOf(item));
    if (items) items.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/**
 * Runs work for each group of items, without one waiting for another.
 * @returns all results, in the order of the groups
 */
export async function inEach<Key, Item, Result>(
  groups: ReadonlyMap<Key, Item>,
  work: (key: Key, items: Item) => Promise<readonly Result[]>,
): Promise<Result[]> {
  return (await Promise.all([...groups].map(([key, items]) => work(key, items)))).flat();
}
