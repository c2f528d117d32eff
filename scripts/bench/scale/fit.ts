/**
 * Finds the weights with which the columns of each row add up to its value, with the least sum of squared relative errors
 * (normal equations, solved by Gaussian elimination).
 * @param rows of the same length, at least as many as they have columns
 */
export function fit(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const scaled = rows.map((row, index) => row.map((each) => each / (values[index] ?? 1)));
  const width = scaled[0]?.length ?? 0;
  const sum = (read: (row: readonly number[]) => number) =>
    scaled.reduce((total, row) => total + read(row), 0);
  const system = Array.from({ length: width }, (_, i) => [
    ...Array.from({ length: width }, (_, j) => sum((row) => (row[i] ?? 0) * (row[j] ?? 0))),
    sum((row) => row[i] ?? 0),
  ]);
  for (const [at, pivot] of system.entries())
    for (const [other, line] of system.entries()) {
      if (other === at) continue;
      const factor = (line[at] ?? 0) / (pivot[at] ?? 1);
      for (let column = at; column <= width; column++)
        line[column] = (line[column] ?? 0) - factor * (pivot[column] ?? 0);
    }
  return system.map((line, at) => (line[width] ?? 0) / (line[at] ?? 1));
}
