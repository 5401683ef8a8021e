/**
 * Which file goes where below a prefix.
 *
 * The folders are those in which systemd, man and the shells look when the prefix is /usr or /usr/local;
 * settings are in /etc then, as the file system's standard (FHS) has it.
 *
 * @module
 */
import { PAGE_NAMES } from "../manual/page.ts";

/** Where things are. */
export interface Layout {
  readonly executable: string;
  /** The settings file. */
  readonly settings: string;
  readonly manifest: string;
  readonly units: string;
  readonly users: string;
  readonly folders: string;
  /** The page `NAME.SECTION`. */
  manual(page: string): string;
  readonly completions: Readonly<Record<"bash" | "zsh" | "fish", string>>;
  /** Folder of what others may use, as it is in config. */
  readonly extras: string;
}

/** Prefixes whose settings are in /etc. */
const SYSTEM_PREFIXES = ["/usr", "/usr/local"];

/** Manual pages, as files of config/man. */
export const MANUAL_PAGES: readonly string[] = PAGE_NAMES;

/** The places below `prefix`, an absolute path without a slash at its end. */
export function layoutOf(prefix: string): Layout {
  const etc = SYSTEM_PREFIXES.includes(prefix) ? "/etc" : `${prefix}/etc`;
  const share = `${prefix}/share`;
  return {
    executable: `${prefix}/sbin/postern`,
    settings: `${etc}/postern/postern.toml`,
    manifest: `${share}/postern/manifest.json`,
    units: `${prefix}/lib/systemd/system`,
    users: `${prefix}/lib/sysusers.d/postern.conf`,
    folders: `${prefix}/lib/tmpfiles.d/postern.conf`,
    manual: (page) => `${share}/man/man${page.slice(-1)}/${page}`,
    extras: `${share}/postern`,
    completions: {
      bash: `${share}/bash-completion/completions/postern`,
      zsh: `${share}/zsh/site-functions/_postern`,
      fish: `${share}/fish/vendor_completions.d/postern.fish`,
    },
  };
}
