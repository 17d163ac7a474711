import { expect, it } from 'vitest';
import { pointsOf } from './quality';

it('takes whole points from 0 to 100', () => {
  expect(['0', ' 85 ', '100', '101', '-1', '8.5', '', 'x'].map(pointsOf)).toEqual([
    0,
    85,
    100,
    null,
    null,
    null,
    null,
    null,
  ]);
});
