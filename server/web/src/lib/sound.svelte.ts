// Sounds of the board: off until somebody allows them, silenced for a while, never for good by mistake.

import type { Alarm } from './alarms';

export const MUTE_MS = 15 * 60_000;
const KEY = 'linewatch.sound';
/** Two or three short tones each, in hertz: graver is lower and longer. */
const TONES: Record<Alarm, readonly number[]> = {
  new: [660, 880],
  slipping: [660, 660],
  missed: [520, 415, 520, 415],
};
const TONE_S = 0.16;
const LOUDNESS = 0.16;

class Sound {
  /** Whether sounds were allowed in this browser. */
  isOn = $state(recalled());
  /** The monotonic time until which it is silent. */
  mutedUntilMs = $state(0);
  /** Browsers keep a page silent until somebody has touched it. */
  isHeld = $state(false);
  #context: AudioContext | null = null;

  async turn(on: boolean): Promise<void> {
    [this.isOn, this.mutedUntilMs] = [on, 0];
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off');
    } catch {
      // A browser that forgets asks again.
    }
    if (on) await this.play('new', 0);
  }

  mute(nowMonoMs: number): void {
    this.mutedUntilMs = this.mutedUntilMs > nowMonoMs ? 0 : nowMonoMs + MUTE_MS;
  }

  async play(alarm: Alarm, nowMonoMs: number): Promise<void> {
    if (!this.isOn || this.mutedUntilMs > nowMonoMs) return;
    try {
      this.#context ??= new AudioContext();
      if (this.#context.state !== 'running') {
        // Never settles while the browser holds the page silent.
        void this.#context.resume().then(() => (this.isHeld = false));
        this.isHeld = !navigator.userActivation?.hasBeenActive;
        if (this.isHeld) return;
      }
      TONES[alarm].forEach((hertz, i) => tone(this.#context!, hertz, i * TONE_S * 1.25));
    } catch {
      // A machine without sound still has the board.
    }
  }
}

function tone(context: AudioContext, hertz: number, afterS: number): void {
  const [wave, gain] = [context.createOscillator(), context.createGain()];
  const start = context.currentTime + afterS;
  wave.frequency.value = hertz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
  gain.gain.linearRampToValueAtTime(0, start + TONE_S);
  wave.connect(gain).connect(context.destination);
  wave.start(start);
  wave.stop(start + TONE_S);
}

function recalled(): boolean {
  try {
    return localStorage.getItem(KEY) === 'on';
  } catch {
    return false;
  }
}

export const sound = new Sound();
