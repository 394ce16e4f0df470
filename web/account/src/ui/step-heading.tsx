import { useLayoutEffect, useRef } from "preact/hooks";

/** The heading of what an action led to within a page. It gets the focus, so that a screen reader reads it. */
export function StepHeading({ children }: { readonly children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <h2 ref={heading} tabIndex={-1}>
      {children}
    </h2>
  );
}
