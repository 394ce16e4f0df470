import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Fault } from "../faults";
import { OneAtATime, type Progress } from "../one-at-a-time";
import { FaultNote } from "./note";

export interface Doing<A extends unknown[]> extends Progress {
  run(...given: A): Promise<void>;
}

/** Runs one action at a time, and knows whether it runs and why it failed last. */
export function useDoing<A extends unknown[]>(act: (...given: A) => Promise<unknown>): Doing<A> {
  const [progress, show] = useState<Progress>({ busy: false, fault: undefined });
  const [doer] = useState(() => new OneAtATime(show));
  return { run: (...given) => doer.run(() => act(...given)), ...progress };
}

/** How prominent a button is, and whether it removes something. */
export type ButtonKind = "main" | "plain" | "quiet" | "danger" | "danger-plain";

export interface ButtonProps {
  readonly kind?: ButtonKind;
  readonly type?: "button" | "submit";
  readonly busy?: boolean;
  readonly label?: string | undefined;
  readonly onClick?: () => void;
  readonly children: ComponentChildren;
}

/** A button that shows when it is busy and keeps its size and the focus. */
export function Button({ kind = "plain", type = "button", busy = false, label, onClick, children }: ButtonProps) {
  return (
    <button type={type} class={`button button-${kind}`} aria-disabled={busy} aria-busy={busy} aria-label={label} onClick={onClick}>
      <span class="button-text">{children}</span>
      <span class="button-wait" aria-hidden="true" />
    </button>
  );
}

export interface ActionProps {
  readonly act: () => Promise<unknown>;
  readonly kind?: ButtonKind;
  readonly label?: string;
  /** What is shown after a failure. `again` repeats the action. */
  readonly failed?: (fault: Fault, again: () => Promise<void>) => ComponentChildren;
  readonly children: ComponentChildren;
}

/** A button that runs an action, and shows why it failed. */
export function Action({ act, kind = "plain", label, failed = (fault) => <FaultNote fault={fault} />, children }: ActionProps) {
  const { run, busy, fault } = useDoing(act);
  return (
    <div class="action">
      <Button kind={kind} busy={busy} label={label} onClick={() => void run()}>
        {children}
      </Button>
      {fault && failed(fault, run)}
    </div>
  );
}
