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
