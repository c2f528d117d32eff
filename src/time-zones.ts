/** Year, month (from 0), day, hour, minute and second, as a clock shows them. */
export type Clock = readonly [number, number, number, number, number, number];

const HOUR_MS = 3_600_000;

/** The clock of a zone at a time. @param zone an IANA name that `Intl` knows */
export function clockIn(zone: string, date: Date): Clock {
  return read(formatterOf(zone), date);
}

/** Milliseconds, UTC, at which the clock of a zone shows this; where it shows it twice, the later one. */
export function timeIn(zone: string): (...clock: Clock) => number {
  const formatter = formatterOf(zone);
  const offsets = new Map<number, number>();
  const offsetAt = (time: number) => {
    const hour = Math.floor(time / HOUR_MS);
    const kept = offsets.get(hour);
    if (kept !== undefined) return kept;
    const offset = Date.UTC(...read(formatter, new Date(hour * HOUR_MS))) - hour * HOUR_MS;
    offsets.set(hour, offset);
    return offset;
  };
  return (...clock) => {
    const utc = Date.UTC(...clock);
    // Looked up twice, since it may differ between the guess and the result.
    return utc - offsetAt(utc - offsetAt(utc));
  };
}

/** Start of a day in a zone. Where its clock skips midnight, as on some days of Chile, that is an hour later. */
export function startOfDay(zone: string, year: number, month: number, day: number): number {
  const start = timeIn(zone)(year, month, day, 0, 0, 0);
  const [y, m, d, ...clock] = clockIn(zone, new Date(start));
  const wanted = Date.UTC(year, month, day);
  return Date.UTC(y, m, d) < wanted ? start + wanted - Date.UTC(y, m, d, ...clock) : start;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-u-ca-iso8601', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

function read(formatter: Intl.DateTimeFormat, date: Date): Clock {
  const parts = formatter.formatToParts(date);
  const part = (type: string) => Number(parts.find((entry) => entry.type === type)?.value);
  return [part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')];
}
