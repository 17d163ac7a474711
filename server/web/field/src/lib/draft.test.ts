import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DraftSaver, RETRY_MS, WAIT_MS, type PutResult } from './draft';
import { whole } from './draft-shape';
import type { Draft, OpenDraft } from './types';

const draft = (purpose: string, more: Partial<Draft> = {}) => whole({ customer: 'C001', purpose, ...more });

/** An agent that holds one draft, and can be dead, lose an answer, or be slow. */
class Agent {
  revision = 1;
  held: Partial<Draft> = draft('');
  dead = false;
  losesAnswer = false;
  puts: { revision: number; purpose: string; leaving: boolean }[] = [];
  changed = 0;
  hold: Promise<void> = Promise.resolve();

  readonly put = async (revision: number, sent: Draft, leaving: boolean): Promise<PutResult> => {
    this.puts.push({ revision, purpose: sent.purpose, leaving });
    await this.hold;
    if (this.dead) return { kind: 'failed', error: 'dead' };
    if (revision !== this.revision) return { kind: 'other', theirs: this.open() };
    this.revision += 1;
    this.held = sent;
    if (this.losesAnswer) return { kind: 'failed', error: 'lost' };
    return { kind: 'saved', saved: this.saved() };
  };

  saved = () => ({
    revision: this.revision,
    changed_at: `revision ${this.revision}`,
    lacks: [],
  });
  open = (): OpenDraft => ({ id: 'd', draft: this.held, photos: [], ...this.saved() });

  saver(): DraftSaver {
    return new DraftSaver(this.saved(), whole(this.held), {
      put: this.put,
      later: (run, ms) => setTimeout(run, ms),
      never: (timer) => clearTimeout(timer as number),
      onchange: () => (this.changed += 1),
    });
  }
}

describe('a report that is being written', () => {
  let agent: Agent;
  let saver: DraftSaver;
  beforeEach(() => {
    vi.useFakeTimers();
    agent = new Agent();
    saver = agent.saver();
  });
  afterEach(() => vi.useRealTimers());
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('is saved once a moment after the last letter, and says so only then', async () => {
    for (const letters of ['a', 'ab', 'abc']) {
      saver.note(draft(letters));
      await pass(WAIT_MS - 100);
    }
    expect(saver.state).toBe('saving');
    await pass(100);
    expect(agent.puts).toEqual([{ revision: 1, purpose: 'abc', leaving: false }]);
    expect([saver.state, saver.savedAt, saver.isSaved]).toEqual(['saved', 'revision 2', true]);
    expect(agent.held.purpose).toBe('abc');
  });

  it('is not sent where nothing has changed', async () => {
    saver.note(draft(''));
    saver.note(draft('', { answers: {} }));
    await pass(10_000);
    expect(agent.puts).toEqual([]);
    expect(saver.state).toBe('saved');
  });

  it('is kept while the agent is dead, tried ever again, and whole when it is back', async () => {
    agent.dead = true;
    saver.note(draft('one'));
    await pass(WAIT_MS);
    expect([saver.state, saver.error, saver.isSaved]).toEqual(['failing', 'dead', false]);
    for (const wait of RETRY_MS) await pass(wait);
    expect(agent.puts).toHaveLength(1 + RETRY_MS.length);
    saver.note(draft('one two'));
    await pass(60_000);
    expect(saver.state).toBe('failing');
    expect(saver.draft.purpose).toBe('one two');
    const tries = agent.puts.length;
    agent.dead = false;
    await pass(RETRY_MS.at(-1)!);
    expect(agent.puts).toHaveLength(tries + 1);
    expect([saver.state, saver.error, agent.held.purpose]).toEqual(['saved', null, 'one two']);
  });

  it('goes on where the answer was lost: what the agent has is its own', async () => {
    agent.losesAnswer = true;
    saver.note(draft('one'));
    await pass(WAIT_MS);
    expect(saver.state).toBe('failing');
    agent.losesAnswer = false;
    await pass(RETRY_MS[0]);
    expect([saver.state, saver.theirs, agent.revision]).toEqual(['saved', null, 2]);
    saver.note(draft('one two'));
    await pass(WAIT_MS);
    expect([saver.state, agent.held.purpose, agent.revision]).toEqual(['saved', 'one two', 3]);
  });

  it('is sent again where it changed while it was on the way; never two at once', async () => {
    let arrive = () => {};
    agent.hold = new Promise((resolve) => (arrive = resolve));
    saver.note(draft('one'));
    await pass(WAIT_MS);
    saver.note(draft('one two'));
    await pass(10_000);
    expect(agent.puts).toHaveLength(1);
    arrive();
    await pass(WAIT_MS);
    expect(agent.puts.map(({ purpose }) => purpose)).toEqual(['one', 'one two']);
    expect(agent.puts[1]!.revision).toBe(2);
    expect([saver.state, agent.held.purpose]).toEqual(['saved', 'one two']);
  });

  it('is saved at once when it is left', async () => {
    saver.note(draft('one'));
    const saved = saver.flush(true);
    expect(agent.puts).toEqual([{ revision: 1, purpose: 'one', leaving: true }]);
    expect(await saved).toBe(true);
    await pass(10_000);
    expect(agent.puts).toHaveLength(1);
  });

  it('says that it could not be saved, and goes on trying', async () => {
    agent.dead = true;
    saver.note(draft('one'));
    expect(await saver.flush()).toBe(false);
    agent.dead = false;
    await pass(RETRY_MS[0]);
    expect([saver.state, agent.held.purpose]).toEqual(['saved', 'one']);
  });

  describe('in two windows', () => {
    beforeEach(async () => {
      const other = agent.saver();
      other.note(draft('theirs', { met: 'somebody' }));
      await other.flush();
      saver.note(draft('mine'));
      await pass(WAIT_MS);
    });

    it('waits for a person to choose, and overwrites nothing', async () => {
      expect([saver.state, saver.theirs?.draft.purpose]).toEqual(['conflict', 'theirs']);
      saver.note(draft('mine and more'));
      await pass(60_000);
      expect(agent.held.purpose).toBe('theirs');
      expect(await saver.flush()).toBe(false);
    });

    it('keeps one’s own over the other', async () => {
      saver.note(draft('mine and more'));
      await saver.choose('mine');
      expect([saver.state, saver.theirs, agent.held.purpose]).toEqual(['saved', null, 'mine and more']);
      expect(agent.held.met).toBe('');
    });

    it('takes the other', async () => {
      await saver.choose('theirs');
      expect([saver.state, saver.draft.purpose, saver.draft.met]).toEqual(['saved', 'theirs', 'somebody']);
      saver.note({ ...saver.draft, purpose: 'theirs and more' });
      await pass(WAIT_MS);
      expect([saver.state, agent.held.purpose]).toEqual(['saved', 'theirs and more']);
    });
  });

  it('is not tried any more once it is finished', async () => {
    agent.dead = true;
    saver.note(draft('one'));
    await pass(WAIT_MS);
    saver.stop();
    const tries = agent.puts.length;
    await pass(60_000);
    expect(agent.puts).toHaveLength(tries);
  });
});
