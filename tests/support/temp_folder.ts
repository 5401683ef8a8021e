/**
 * A folder for one test, removed when the test is over.
 *
 * It owns everything below its path. Its mode is 0755, because Postfix's daemons reach their queue
 * through it as user `postfix`; what must be private lives in a folder of its own inside.
 * `POSTERN_KEEP_TEMP=1` leaves the folder in place and prints where it is.
 *
 * @module
 */

/** A temporary folder; use it with `await using`. */
export class TempFolder implements AsyncDisposable {
  /** Absolute path, without a slash at the end. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes an empty folder below the system's temporary folder. `name` becomes part of the path; keep
   * it short, because socket paths below it are limited to 107 bytes.
   */
  static async make(name: string): Promise<TempFolder> {
    const path = await Deno.makeTempDir({ prefix: `postern-${name}-` });
    await Deno.chmod(path, 0o755);
    return new TempFolder(path);
  }

  /** The path of `name` inside the folder. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file with `mode` (default 0644) and returns its path. */
  async write(name: string, text: string, mode = 0o644): Promise<string> {
    const path = this.file(name);
    await Deno.writeTextFile(path, text, { mode });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (Deno.env.get("POSTERN_KEEP_TEMP") === "1") {
      console.error(`Kept temporary folder ${this.path}`);
      return;
    }
    await Deno.remove(this.path, { recursive: true });
  }
}
