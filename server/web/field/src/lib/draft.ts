// Saves a report while it is written: each change goes to the agent a moment after it, one saving at a time. What the agent did
// not take stays here and is tried again; where somebody else saved in between, a person decides. Nothing is said to be saved
// before the agent answered. Knows no page and no clock but the timers that it is given.

import { isSame, whole } from './draft-shape';
import type { Draft, Lack, OpenDraft, Saved } from './types';

/** So long after the last change it is saved. */
export const WAIT_MS = 400;
/** Waits between tries, the last one for ever. */
export const RETRY_MS = [500, 1_000, 2_000, 5_000] as const;

export type SaveState =
  /** The agent has everything. */
  | 'saved'
  /** Changed, and about to be saved, or on the way. */
  | 'saving'
  /** The agent did not take it; it is kept here and tried again. */
  | 'failing'
  /** Somebody saved another version: a person has to choose. */
  | 'conflict';

/** How a save went: taken; refused because another version is newer; or anything else. */
export type PutResult =
  { kind: 'saved'; saved: Saved } | { kind: 'other'; theirs: OpenDraft } | { kind: 'failed'; error: unknown };

export interface SaverIo {
  /** `leaving`: the page may be gone before the answer. */
  put: (revision: number, draft: Draft, leaving: boolean) => Promise<PutResult>;
  later: (run: () => void, ms: number) => unknown;
  never: (timer: unknown) => void;
  /** Something of the public fields changed. */
  onchange: () => void;
}

export class DraftSaver {
  state: SaveState = 'saved';
  /** When the agent last took it. */
  savedAt: string;
  lacks: Lack[];
  /** Why the last try failed. */
  error: unknown = null;
  /** The newer version, while a person has to choose. */
  theirs: OpenDraft | null = null;

  #revision: number;
  /** What the agent is known to have. */
  #held: Draft;
  #draft: Draft;
  #timer: unknown = null;
  #underway: Promise<void> | null = null;
  #tries = 0;

  constructor(
    { revision, changed_at, lacks }: Saved,
    draft: Draft,
    private readonly io: SaverIo,
  ) {
    [this.#revision, this.savedAt, this.lacks] = [revision, changed_at, lacks];
    [this.#held, this.#draft] = [draft, draft];
  }

  /** The draft as it stands here. */
  get draft(): Draft {
    return this.#draft;
  }

  get isSaved(): boolean {
    return isSame(this.#draft, this.#held);
  }

  /** What was written up to now; saved a moment later. */
  note(draft: Draft): void {
    if (isSame(draft, this.#draft)) return;
    this.#draft = draft;
    if (this.state === 'saved') this.#become('saving');
    // A try that failed keeps its own pace.
    if (this.state === 'saving' && !this.#underway) this.#schedule(WAIT_MS);
  }

  /** Saves now what is not saved yet: whether the agent has everything then. */
  async flush(leaving = false): Promise<boolean> {
    while (!this.isSaved && this.state !== 'conflict') {
      this.#unschedule();
      await (this.#underway ?? this.#save(leaving));
      if (this.state === 'failing') break;
    }
    return this.isSaved;
  }

  /** A person chose. `mine` is saved over theirs; `theirs` replaces what stands here. */
  async choose(which: 'mine' | 'theirs'): Promise<void> {
    if (!this.theirs) return;
    const theirs = whole(this.theirs.draft);
    this.#adopt(this.theirs, theirs);
    if (which === 'theirs') this.#draft = theirs;
    this.theirs = null;
    this.#become(this.isSaved ? 'saved' : 'saving');
    await this.flush();
  }

  /** No more tries: the draft is finished, or thrown away. */
  stop(): void {
    this.#unschedule();
    this.#held = this.#draft;
  }

  async #save(leaving: boolean): Promise<void> {
    const sent = this.#draft;
    this.#underway = this.io.put(this.#revision, sent, leaving).then((result) => {
      this.#underway = null;
      this.#settle(sent, result);
    });
    await this.#underway;
  }

  #settle(sent: Draft, result: PutResult): void {
    if (result.kind === 'saved') {
      this.#adopt(result.saved, sent);
      this.#goOn();
    } else if (result.kind === 'other') {
      this.#compare(sent, result.theirs);
    } else {
      this.error = result.error;
      this.#become('failing');
      this.#schedule(RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]!);
    }
  }

  /** The newer version may be one's own, whose answer was lost. */
  #compare(sent: Draft, theirs: OpenDraft): void {
    if (isSame(theirs.draft, sent)) {
      this.#adopt(theirs, sent);
      this.#goOn();
    } else {
      this.#unschedule();
      this.theirs = theirs;
      this.#become('conflict');
    }
  }

  #adopt({ revision, changed_at, lacks }: Saved, held: Draft): void {
    [this.#revision, this.savedAt, this.lacks, this.#held] = [revision, changed_at, lacks, held];
    [this.#tries, this.error] = [0, null];
  }

  #goOn(): void {
    this.#become(this.isSaved ? 'saved' : 'saving');
    if (!this.isSaved) this.#schedule(WAIT_MS);
  }

  #become(state: SaveState): void {
    this.state = state;
    this.io.onchange();
  }

  #schedule(ms: number): void {
    this.#unschedule();
    this.#timer = this.io.later(() => {
      this.#timer = null;
      if (!this.#underway && !this.isSaved && this.state !== 'conflict') void this.#save(false);
    }, ms);
  }

  #unschedule(): void {
    if (this.#timer !== null) this.io.never(this.#timer);
    this.#timer = null;
  }
}
