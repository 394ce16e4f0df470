import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app-context";

/** The heading of a page, which is also its title. It gets the focus after a move from another page. */
export function Heading({ children, moved = false }: { readonly children: string; readonly moved?: boolean }) {
  const { place } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Countersign`;
  }, [children]);
  useEffect(() => {
    // Not when the browser itself has just opened the page: it announces the page in its own way.
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
