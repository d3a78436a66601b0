/**
 * The script of the timeline page. In a checkout it is bundled when this module is loaded; the build of
 * the package puts the finished script here (`build/rolldown.config.ts`).
 *
 * @module
 */
import { bundledPage } from '../build/page.ts';

export const pageScript: string = (await bundledPage()).code;
