/**
 * The files that an installation consists of.
 *
 * @module
 */
import { utf8 } from "../../base/bytes.ts";
import type { RoleName } from "../../config/parameters.ts";
import { completionScript } from "../completion/scripts.ts";
import { type Layout, MANUAL_PAGES } from "./layout.ts";
import { readEmbedded, type UnitFacts, unitNames, unitText } from "./units.ts";

/** One file. */
export interface WantedFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mode: number;
  /**
   * What happens to a file that is there and differs. `ours`: it is replaced if an earlier installation
   * wrote it and nobody has changed it since. `settings`: it is kept. `executable`: it is replaced.
   */
  readonly kind: "ours" | "settings" | "executable";
}

/** What they are made of. */
export interface WantedOptions {
  readonly layout: Layout;
  readonly roles: readonly RoleName[];
  readonly executable: Uint8Array<ArrayBuffer>;
  /** Text of the settings file. */
  readonly settings: string;
  readonly facts: UnitFacts;
}

/** For those who watch a machine. */
const EXTRAS = ["prometheus/postern.rules.yml", "grafana/postern.json", "log-schema.json"];

/** All files, in the order in which they are written. */
export function wantedFiles(options: WantedOptions): WantedFile[] {
  const { layout, roles, executable, settings, facts } = options;
  const ours = (path: string, text: string): WantedFile => ({
    path,
    bytes: utf8(text),
    mode: 0o644,
    kind: "ours",
  });
  const { completions } = layout;
  return [
    { path: layout.executable, bytes: executable, mode: 0o755, kind: "executable" },
    { ...ours(layout.settings, settings), kind: "settings" },
    ...unitNames(roles).map((name) =>
      ours(`${layout.units}/${name}`, unitText(`systemd/${name}`, facts))
    ),
    ours(layout.users, unitText("sysusers.d/postern.conf", facts)),
    ours(layout.folders, unitText("tmpfiles.d/postern.conf", facts)),
    ...MANUAL_PAGES.map((page) => ours(layout.manual(page), readEmbedded(`man/${page}`))),
    ...EXTRAS.map((file) => ours(`${layout.extras}/${file}`, readEmbedded(file))),
    ...(["bash", "zsh", "fish"] as const).map((shell) =>
      ours(completions[shell], completionScript(shell))
    ),
  ];
}
