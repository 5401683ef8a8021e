/**
 * The worker module of tlsmgr's service thread.
 *
 * @module
 */
import { serve } from "../daemon/service_thread.ts";
import { makeTlsmgrService } from "./service.ts";

serve(makeTlsmgrService);
