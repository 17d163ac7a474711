// The images of a report that is being written: each is kept in the page until the agent has it, and tried again.

import { ApiError } from '../../../src/lib/api';
import { field } from '../lib/field.svelte';
import { prepare, toBlob } from '../lib/photo';
import type { Taken } from '../lib/exif';
import type { Draft, PhotoNamed } from '../lib/types';

export const PHOTOS_MAX = 39;
const RETRY_MS = 3_000;

export interface Pending {
  key: number;
  /** To look at; empty where it cannot be read. */
  url: string;
  state: 'saving' | 'failing' | 'unreadable' | 'refused';
  /** Why it was refused, in words. */
  why: string;
}

interface Owner {
  readonly id: string;
  draft: Draft;
  save: () => Promise<boolean>;
}

export class Images {
  pending = $state<Pending[]>([]);
  signature = $state<'none' | 'saving' | 'failing' | 'saved'>('none');
  #owner: Owner;
  #serial = 0;
  #signing = 0;
  #stopped = false;

  constructor(owner: Owner) {
    this.#owner = owner;
    if (owner.draft.signature) this.signature = 'saved';
  }

  get areSaved(): boolean {
    const waits = this.pending.some(({ state }) => state === 'saving' || state === 'failing');
    return !waits && (this.signature === 'none' || this.signature === 'saved');
  }

  address(sha256: string): string {
    return `/api/drafts/${encodeURIComponent(this.#owner.id)}/photos/${encodeURIComponent(sha256)}`;
  }

  async add(files: Iterable<File>, keepPlace: boolean): Promise<void> {
    for (const file of files) {
      if (this.#owner.draft.photos.length + this.pending.length >= PHOTOS_MAX) return;
      const pending = this.#begin();
      try {
        const { bytes, taken } = await prepare(file);
        this.#change(pending.key, { url: URL.createObjectURL(bytes) });
        void this.#upload(pending.key, bytes, keepPlace ? taken : { ...taken, place: null });
      } catch {
        this.#change(pending.key, { state: 'unreadable' });
      }
    }
  }

  /** Takes one back that the agent does not have. */
  forget(key: number): void {
    const found = this.pending.find((it) => it.key === key);
    if (found?.url) URL.revokeObjectURL(found.url);
    this.pending = this.pending.filter((it) => it.key !== key);
  }

  async remove({ sha256 }: PhotoNamed): Promise<void> {
    const { draft } = this.#owner;
    draft.photos = draft.photos.filter((photo) => photo.sha256 !== sha256);
    await this.#drop(sha256);
  }

  /** Keeps what was drawn in place of what was kept before. */
  async sign(canvas: HTMLCanvasElement): Promise<void> {
    const turn = ++this.#signing;
    this.signature = 'saving';
    const bytes = await toBlob(canvas, 'image/png');
    const before = this.#owner.draft.signature;
    const sha256 = await this.#send(
      bytes,
      'signature',
      () => turn === this.#signing,
      () => {
        this.signature = 'failing';
      },
    );
    if (sha256 === null || turn !== this.#signing) return;
    this.#owner.draft.signature = sha256;
    this.signature = 'saved';
    if (before && before !== sha256) await this.#drop(before);
    else await this.#owner.save();
  }

  async unsign(): Promise<void> {
    this.#signing += 1;
    const before = this.#owner.draft.signature;
    [this.#owner.draft.signature, this.signature] = [null, 'none'];
    if (before) await this.#drop(before);
  }

  stop(): void {
    this.#stopped = true;
    this.#signing += 1;
    for (const { key } of [...this.pending]) this.forget(key);
    this.signature = 'none';
  }

  #begin(): Pending {
    const pending: Pending = { key: ++this.#serial, url: '', state: 'saving', why: '' };
    this.pending.push(pending);
    return pending;
  }

  #change(key: number, change: Partial<Pending>): void {
    const found = this.pending.find((it) => it.key === key);
    if (found) Object.assign(found, change);
  }

  async #upload(key: number, bytes: Blob, { place, at }: Taken): Promise<void> {
    const isWanted = () => !this.#stopped && this.pending.some((it) => it.key === key);
    try {
      const sha256 = await this.#send(bytes, 'photo', isWanted, () =>
        this.#change(key, { state: 'failing' }),
      );
      if (sha256 === null) return;
      const { photos } = this.#owner.draft;
      const photo = { sha256, caption: '', ...(at && { taken_at: at }), ...(place && { place }) };
      if (!photos.some((known) => known.sha256 === sha256)) photos.push(photo);
      this.forget(key);
      await this.#owner.save();
    } catch (error) {
      this.#change(key, { state: 'refused', why: field.explain(error) });
    }
  }

  /** Sends it until the agent answers; null where nobody wants it any more. */
  async #send(
    bytes: Blob,
    role: 'photo' | 'signature',
    isWanted: () => boolean,
    onfail: () => void,
  ): Promise<string | null> {
    while (isWanted()) {
      try {
        return (await field.api.putImage(this.#owner.id, role, bytes)).sha256;
      } catch (error) {
        if (isFinal(error)) throw error;
        onfail();
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return null;
  }

  /** The report no longer names it: its bytes are not needed. That they are left over harms nothing. */
  async #drop(sha256: string): Promise<void> {
    if (!(await this.#owner.save())) return;
    const path = `/drafts/${encodeURIComponent(this.#owner.id)}/photos/${encodeURIComponent(sha256)}`;
    await field.api.delete(path).catch(() => undefined);
  }
}

/** Refused for what it is, and not for the moment. */
const isFinal = (error: unknown) =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401;
