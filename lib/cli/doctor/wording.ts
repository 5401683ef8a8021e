/**
 * Numbers and services in the words of a report.
 *
 * @module
 */
import type { ServiceName } from "../../config/services.ts";

/** Where the own keys of a service stand: `service.tlsproxy`, `instance.edge`. */
export function tableOf({ role, instance }: ServiceName): string {
  return instance === undefined ? `service.${role}` : `instance.${instance}`;
}

/** `tlsproxy`, or `instance edge`. */
export function callOf({ role, instance }: ServiceName): string {
  return instance === undefined ? role : `instance ${instance}`;
}

/** `tlsproxy's socket`, or `the socket of instance edge`. */
export function socketOf(service: ServiceName): string {
  const called = callOf(service);
  return service.instance === undefined ? `${called}'s socket` : `the socket of ${called}`;
}

/** A moment as `2026-11-21 06:50 UTC`. */
export function utcTime(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Bytes as whole mebibytes, or as bytes where that is none. */
export function size(bytes: number): string {
  const mebibytes = Math.floor(bytes / (1 << 20));
  return mebibytes === 0 ? `${bytes} bytes` : `${mebibytes} MiB`;
}
