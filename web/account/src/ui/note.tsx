import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useApp } from "../app-context";
import { faultText, type Fault } from "../faults";

export interface NoteProps {
  readonly tone: "good" | "plain" | "bad";
  readonly children: ComponentChildren;
}

/** A highlighted remark. */
export function Note({ tone, children }: NoteProps) {
  return <div class={`note note-${tone}`}>{children}</div>;
}

/** The fault of an action that has no form. */
export function FaultNote({ fault }: { readonly fault: Fault }) {
  const { errors } = useApp();
  const note = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => note.current?.focus(), [fault]);
  return (
    <div class="note note-bad" role="alert" tabIndex={-1} ref={note}>
      <p>{faultText(fault, errors)}</p>
      <Wait fault={fault} />
    </div>
  );
}

/** When to try again, if the service said so. */
export function Wait({ fault }: { readonly fault: Fault }) {
  const { errors, format } = useApp();
  return fault.wait === undefined ? null : <p>{errors.again(format.in(fault.wait))}</p>;
}
