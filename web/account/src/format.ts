/** A `google.protobuf.Timestamp`. */
interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

export function dateOf({ seconds, nanos }: Timestamp): Date {
  return new Date(Number(seconds) * 1000 + nanos / 1e6);
}

/** The units of a length of time, in seconds. */
const LENGTHS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ...LENGTHS,
];

/** Formats dates and times in the way of one language. */
export class Format {
  readonly #day: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;
  readonly #relative: Intl.RelativeTimeFormat;

  constructor(private readonly locale: string) {
    this.#day = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
    this.#moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  }

  day(date: Date): string {
    return this.#day.format(date);
  }

  moment(date: Date): string {
    return this.#moment.format(date);
  }

  /** `2 hours ago`, in the largest unit that fits; less than a minute is `now`. */
  ago(date: Date, now: Date): string {
    const seconds = (date.getTime() - now.getTime()) / 1000;
    const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
    return unit ? this.#relative.format(Math.trunc(seconds / unit[1]), unit[0]) : this.#relative.format(0, "second");
  }

  /** `30 days`, in the largest unit of which it is a whole number. */
  span(milliseconds: number): string {
    const seconds = Math.round(milliseconds / 1000);
    const [unit, size] = LENGTHS.find(([, size]) => seconds % size === 0) ?? ["second", 1];
    return new Intl.NumberFormat(this.locale, { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
  }

  /** `in 30 seconds`, rounded up, so that nobody tries again too early. */
  in(milliseconds: number): string {
    const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
    return seconds < 90 ? this.#relative.format(seconds, "second") : this.#relative.format(Math.ceil(seconds / 60), "minute");
  }
}
