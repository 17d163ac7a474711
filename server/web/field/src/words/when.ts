// When something happened, in words.

import { pageWords } from '../../../src/lib/i18n/page';

export const whenWords = pageWords(
  {
    legend: 'When?',
    now: 'Just now',
    ago: (minutes: string) => `${minutes} min ago`,
    earlier: 'Another time',
    time: 'Time',
    reason: 'Why is it written down only now?',
    wrong: {
      reason_missing: 'Say why it is written down only now.',
      in_the_future: 'That time has not come yet.',
    },
  },
  {
    legend: '什么时候？',
    now: '刚刚',
    ago: (minutes) => `${minutes} 分钟前`,
    earlier: '其他时间',
    time: '时间',
    reason: '为何现在才补记？',
    wrong: {
      reason_missing: '请说明为何现在才补记。',
      in_the_future: '该时间还没有到。',
    },
  },
);
