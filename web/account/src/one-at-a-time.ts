import { faultOf, type Fault } from "./faults";

/** What there is to see of something that is done now and then. */
export interface Progress {
  readonly busy: boolean;
  /** Why it failed last. */
  readonly fault: Fault | undefined;
}

/** Does one thing at a time: a second click, or a second press of Enter, does nothing. */
export class OneAtATime {
  #progress: Progress = { busy: false, fault: undefined };

  constructor(private readonly show: (progress: Progress) => void) {}

  async run(act: () => Promise<unknown>): Promise<void> {
    if (this.#progress.busy) return;
    // What was wrong stays until there is an answer, so that nothing jumps.
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
