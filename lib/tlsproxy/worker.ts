/**
 * The worker module of tlsproxy's service threads.
 *
 * @module
 */
import { serve } from "../daemon/service_thread.ts";
import { makeTlsproxyService } from "./service.ts";

serve(makeTlsproxyService);
