import { faultOf, type Fault } from "./faults";

/** The state of an action that a person can repeat. */
export interface Progress {
  readonly busy: boolean;
  /** Why the action failed last. */
  readonly fault: Fault | undefined;
}

/** Runs one action at a time: a second click, or a second press of Enter, does nothing. */
export class OneAtATime {
  #progress: Progress = { busy: false, fault: undefined };

  constructor(private readonly show: (progress: Progress) => void) {}

  async run(act: () => Promise<unknown>): Promise<void> {
    if (this.#progress.busy) return;
    // The last fault stays visible until there is an answer, so that nothing moves.
    this.#tell({ ...this.#progress, busy: true });
    let fault: Fault | undefined;
    try {
      await act();
    } catch (error) {
      fault = faultOf(error);
    } finally {
      this.#tell({ busy: false, fault });
    }
  }

  #tell(progress: Progress): void {
    this.#progress = progress;
    this.show(progress);
  }
}
