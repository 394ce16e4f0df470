import { useApp } from "../app-context";
import { qrOf } from "../qr";

/** A QR code, dark on light whatever the page looks like, because cameras expect that. */
export function QrCode({ svg }: { readonly svg: string }) {
  const { texts } = useApp();
  const code = qrOf(svg);
  // The key beside it is enough.
  if (code === undefined) return null;
  return (
    <svg class="qr" viewBox={`0 0 ${code.size} ${code.size}`} role="img" aria-label={texts.addApp.qr}>
      <rect class="qr-light" width={code.size} height={code.size} />
      <path class="qr-dark" d={code.path} />
    </svg>
  );
}
