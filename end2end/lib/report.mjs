// Named checks, one line each, and the closing line that the runner of all tests reads.

export class Report {
  #passed = 0;
  #failed = 0;
  #indent;

  constructor(indent = "") {
    this.#indent = indent;
  }

  /**
   * Runs one check and prints how long it took. A failed one does not end the run: what it was needed for fails
   * with a message of its own. Returns what the check returned, undefined when it failed.
   */
  async check(name, action) {
    const start = performance.now();
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s`;
    try {
      const result = await action();
      this.#passed += 1;
      console.log(`${this.#indent}ok   ${seconds()}  ${name}`);
      return result;
    } catch (error) {
      this.#failed += 1;
      const lines = String(error?.stack ?? error).split("\n");
      console.log(`${this.#indent}FAIL ${seconds()}  ${name}`);
      for (const line of lines.slice(0, 12)) console.log(`${this.#indent}       ${line}`);
      return undefined;
    }
  }

  /** Like `check`, but what follows makes no sense without it: throws `Stopped` when it failed. */
  async need(name, action) {
    const before = this.#failed;
    const result = await this.check(name, action);
    if (this.#failed > before) throw new Stopped(name);
    return result;
  }

  get failed() {
    return this.#failed;
  }

  /** Prints the closing line and sets the exit status; `more` is what another runner counted. */
  close(more = { passed: 0, failed: 0 }) {
    this.#passed += more.passed;
    this.#failed += more.failed;
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    process.exitCode = this.#failed > 0 || this.#passed === 0 ? 1 : 0;
  }
}

/** A step failed that all later ones need; it was reported already. */
export class Stopped extends Error {}

/** Asks until the answer is true (or truthy, and then returns it); says what was waited for when time is over. */
export async function until(what, seconds, ask, pauseMs = 100) {
  const end = performance.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}${last ? ` (${last.message})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
