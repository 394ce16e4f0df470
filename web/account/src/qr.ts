/** A QR code: a square of modules, and the outline of the dark ones. */
export interface Qr {
  readonly size: number;
  readonly path: string;
}

/**
 * Reads the SVG document of the service. Only the numbers and the commands of its path are taken, because the policy of
 * the pages lets no text become markup, and allows no image but a file. `undefined` when it has another form.
 */
export function qrOf(svg: string): Qr | undefined {
  const size = Number(/<svg[^>]*\sviewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const path = /<path[^>]*\sd="([MmHhVvLlZz\d\s.,-]+)"/.exec(svg)?.[1];
  return size > 0 && path !== undefined ? { size, path } : undefined;
}

/** A key as a person types it: in groups of four. */
export function grouped(key: string): string {
  return key.match(/.{1,4}/g)?.join(" ") ?? "";
}
