/**
 * Where tlsmgr may write files: the facts that the rule of the data directory needs (config/paths.ts).
 *
 * @module
 */
import type { FileGround } from "../config/paths.ts";
import type { Parameters } from "../config/settings.ts";
import { accountOf } from "../daemon/accounts.ts";
import type { FileIo } from "../store/file_io.ts";

const ROOT = 0;

/**
 * The facts about this machine and this process.
 *
 * @param io whose user id counts: the process's, or the one that it is going to have
 */
export function fileGround(
  parameters: Parameters,
  io: Pick<FileIo, "effectiveUserId">,
): FileGround {
  const { queue_directory, data_directory, mail_owner } = parameters;
  const uid = io.effectiveUserId();
  const ownerUid = uid === ROOT ? accountOf(mail_owner)?.uid ?? uid : uid;
  return {
    queueDirectory: queue_directory,
    dataDirectory: data_directory,
    mailOwner: mail_owner,
    ownerUid,
    // What stands in the data directory is not sent there, whoever owns it.
    folderOwner: (path) => path === data_directory ? ownerUid : ownerOf(path),
  };
}

function ownerOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).uid ?? undefined;
  } catch {
    // It is missing, or may not be looked at: whoever opens the file will say so.
    return undefined;
  }
}
