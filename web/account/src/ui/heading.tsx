import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app-context";

/** The heading of a page, which is also its title. Whoever comes from another page is taken to it. */
export function Heading({ children, moved = false }: { readonly children: string; readonly moved?: boolean }) {
  const { place } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Countersign`;
  }, [children]);
  useEffect(() => {
    // Not where the browser itself has just opened the page: it says so in its own way.
    if (place.visit === 0 && !moved) return;
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [place.visit, moved]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
