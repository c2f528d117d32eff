/** The result of a bench: Hearth against a baseline ("floor") measured alternately in the same run. */
export type Finding = {
  bench: string;
  unit: string;
  hearth: number;
  floor: number;
  /** hearth / floor. */
  ratio: number;
  wanted: number;
  /** Whether a smaller ratio is the better one. */
  isLimit?: boolean;
};

/** Runs the two in turns, ours last, and resolves to the medians. */
export async function inTurns(
  times: number,
  floor: () => Promise<number>,
  hearth: () => Promise<number>,
): Promise<{ floor: number; hearth: number }> {
  const found = { floor: [] as number[], hearth: [] as number[] };
  for (let turn = 0; turn < times; turn++) {
    found.floor.push(await floor());
    found.hearth.push(await hearth());
    process.stderr.write(
      `  ${turn + 1}/${times}: ${round(found.hearth.at(-1))} against ${round(found.floor.at(-1))}\n`,
    );
  }
  return { floor: median(found.floor), hearth: median(found.hearth) };
}

export function finding(
  bench: string,
  unit: string,
  { hearth, floor }: { hearth: number; floor: number },
  wanted: number,
  isLimit = false,
): Finding {
  return {
    bench,
    unit,
    hearth: round(hearth),
    floor: round(floor),
    ratio: round(hearth / floor),
    wanted,
    isLimit,
  };
}

export function holds({ ratio, wanted, isLimit }: Finding): boolean {
  return isLimit ? ratio <= wanted : ratio >= wanted;
}

export function print(findings: readonly Finding[]): void {
  const head = ['bench', 'unit', 'hearth', 'floor', 'ratio', 'wanted', 'holds'];
  const rows = findings.map((finding) => [
    finding.bench,
    finding.unit,
    finding.hearth,
    finding.floor,
    finding.ratio,
    `${finding.isLimit ? '≤' : '≥'} ${finding.wanted}`,
    holds(finding) ? 'yes' : 'NO',
  ]);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => String(row[column]).length)),
  );
  for (const row of [head, ...rows])
    console.log(row.map((cell, column) => String(cell).padEnd(widths[column] ?? 0)).join('  '));
  for (const finding of findings) {
    const { isLimit, ...fields } = finding;
    console.log(JSON.stringify({ ...fields, holds: holds(finding) }));
  }
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest rank. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

function round(value = Number.NaN): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
