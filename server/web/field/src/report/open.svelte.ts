// Reports that are being written, with what of them the agent does not have yet. They outlive their screen: what the agent did
// not take is kept and tried again, also while somebody signs in anew.

import { ApiError } from '../../../src/lib/api';
import { whole } from '../lib/draft-shape';
import { DraftSaver, type SaveState } from '../lib/draft';
import { field } from '../lib/field.svelte';
import { askedOnly } from '../lib/form';
import type { Draft, Form, Lack, OpenDraft } from '../lib/types';
import { Images } from './images.svelte';

export class OpenReport {
  readonly id: string;
  draft = $state<Draft>(whole({}));
  /** How the saving stands. */
  state = $state<SaveState>('saved');
  savedAt = $state('');
  lacks = $state.raw<Lack[]>([]);
  /** Why it was not saved. */
  error = $state.raw<unknown>(null);
  /** Another version, while a person has to choose. */
  theirs = $state.raw<OpenDraft | null>(null);
  /** The form that is filled in, where the laptop has it. */
  form = $state.raw<Form | null>(null);
  /** Grows when another version took this one's place: what is shown begins anew. */
  generation = $state(0);
  readonly images: Images;
  readonly #saver: DraftSaver;

  constructor(opened: OpenDraft) {
    this.id = opened.id;
    this.draft = whole(opened.draft);
    this.#saver = new DraftSaver(opened, whole(opened.draft), {
      put: (revision, draft, leaving) => field.api.putDraft(this.id, revision, draft, leaving),
      later: (run, ms) => setTimeout(run, ms),
      never: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      onchange: () => this.#follow(),
    });
    this.images = new Images(this);
    this.#findAgain(opened);
    this.#follow();
  }

  /** Whether the agent has everything, images too. */
  get isSaved(): boolean {
    return this.#saver.isSaved && this.images.areSaved;
  }

  /** Takes note of what stands on the screen; it is saved a moment later. */
  note(): void {
    this.#saver.note(this.#asSent());
  }

  /** Saves what stands on the screen: whether the agent has it. */
  save(leaving = false): Promise<boolean> {
    this.note();
    return this.#saver.flush(leaving);
  }

  async choose(which: 'mine' | 'theirs'): Promise<void> {
    if (which === 'theirs' && this.theirs) {
      this.draft = whole(this.theirs.draft);
      this.generation += 1;
    }
    await this.#saver.choose(which);
  }

  /** Finishes the report: what it lacks, where it is not whole. */
  async finish(): Promise<void> {
    await field.api.post(`/drafts/${encodeURIComponent(this.id)}/finish`);
    this.#over();
  }

  async discard(): Promise<void> {
    await field.api.delete(`/drafts/${encodeURIComponent(this.id)}`);
    this.#over();
  }

  #over(): void {
    this.#saver.stop();
    this.images.stop();
    open = open.filter((it) => it !== this);
    void field.poll();
  }

  /** Answers to what is not asked stay on the screen's side: who changes their mind finds them again. */
  #asSent(): Draft {
    const draft = $state.snapshot(this.draft) as Draft;
    if (!draft.form) return { ...draft, answers: {} };
    return this.form ? { ...draft, answers: askedOnly(this.form, draft.answers) } : draft;
  }

  /** A photo whose bytes were saved, and the page was gone before the report named it. */
  #findAgain({ photos }: OpenDraft): void {
    const named = [...this.draft.photos.map(({ sha256 }) => sha256), this.draft.signature];
    const lost = (photos ?? []).filter(({ sha256, role }) => role === 'photo' && !named.includes(sha256));
    this.draft.photos.push(...lost.map(({ sha256 }) => ({ sha256, caption: '' })));
  }

  #follow(): void {
    const { state, savedAt, lacks, error, theirs } = this.#saver;
    [this.state, this.savedAt, this.lacks] = [state, savedAt, lacks];
    [this.error, this.theirs] = [error, theirs];
  }
}

let open: OpenReport[] = [];

/** A report that was just begun, or read. */
export function keep(opened: OpenDraft): OpenReport {
  const report = new OpenReport(opened);
  open = [...open.filter(({ id }) => id !== report.id), report];
  return report;
}

/** A report as it stands: as the agent has it, unless it is still waiting to be saved. */
export async function openReport(id: string): Promise<OpenReport> {
  const kept = open.find((it) => it.id === id);
  if (kept && !kept.isSaved) return kept;
  return keep(await field.api.get<OpenDraft>(`/drafts/${encodeURIComponent(id)}`));
}

export const allSaved = () => open.every((report) => report.isSaved);

export async function saveAll(): Promise<void> {
  await Promise.all(open.map((report) => report.save()));
}

/** A report that was finished, or thrown away, elsewhere. */
export const isGone = (error: unknown) => error instanceof ApiError && error.status === 404;
