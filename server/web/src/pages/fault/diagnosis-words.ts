import { pageWords } from '../../lib/i18n/page';

type Of = (name: string) => string;

const flowsEn = (of: Of) =>
  `${of('rx_kbit_s')} kbit/s in, ${of('tx_kbit_s')} kbit/s out, ${of('errors')} errors`;
const flowsZh = (of: Of) =>
  `收 ${of('rx_kbit_s')} kbit/s，发 ${of('tx_kbit_s')} kbit/s，错误 ${of('errors')}`;

/** `finding`: by check and code; `else` stands for every code of that check that is not named. */
export const diagnosisWords = pageWords(
  {
    title: 'Diagnoses from the field',
    by: (who: string) => `by ${who}`,
    grade: { ok: 'well', warn: 'to be looked at', fail: 'broken', unknown: 'not looked at' },
    check: {
      link: 'Cable and port',
      gateway: 'Gateway',
      far_end: 'Far end',
      outside: 'Outside host',
      dns: 'Names',
      path: 'Path',
      mtu: 'Packet size',
      throughput: 'Throughput',
    },
    target: { gateway: 'gateway', far_end: 'far end', outside: 'outside host' },
    answers: (who: string, _: string, ms: string) => `the ${who} answers, ${ms} ms`,
    losses: (who: string, answered: string, ms: string) =>
      `the ${who} answered ${answered} probes only, ${ms} ms`,
    silent: (who: string, answered: string) => `the ${who} does not answer (${answered})`,
    not_sent: (who: string) => `probes to the ${who} did not leave the device`,
    nothing: (check: string) => `nothing on the way answered (${check})`,
    unseen: 'could not be looked at there',
    finding: {
      link: {
        up: (of: Of) => `the cable at ${of('interface')} is in, ${of('speed_mbit_s')} Mbit/s`,
        half_duplex: (of: Of) => `${of('interface')} runs in half duplex: check cable and port settings`,
        no_carrier: (of: Of) => `no signal at ${of('interface')}: check the cable and the port at both ends`,
        own: () => 'the target is the device itself',
        else: () => 'the device has no way to the line: check cable, address and gateway',
      },
      gateway: {
        none: () => 'no gateway lies on the way',
        silent: () => 'the gateway does not answer: it may be down, or set up not to',
      },
      outside: { else: () => 'no outside host is configured on the device' },
      dns: {
        resolves: (of: Of) => `${of('name')} resolves to ${of('address')} in ${of('took_ms')} ms`,
        slow: (of: Of) => `${of('name')} resolves to ${of('address')} slowly, in ${of('took_ms')} ms`,
        no_answer: (of: Of) => `the name servers do not answer (${of('servers')})`,
        unknown_name: (of: Of) =>
          `${of('name')} does not resolve: check the name and the name servers (${of('servers')})`,
        else: () => 'the line is reached by address, no name is needed',
      },
      path: {
        reaches: (of: Of) => `the way: ${of('hops')}`,
        ends: (of: Of) => `the way is seen up to ${of('last')}: ${of('hops')}`,
      },
      mtu: {
        usual: () => 'packets of 1500 bytes pass whole',
        smaller: (of: Of) => `only packets of up to ${of('bytes')} bytes pass whole`,
      },
      throughput: {
        flows: flowsEn,
        full: (of: Of) => `${flowsEn(of)}; the interface is full`,
        errors: (of: Of) => `${flowsEn(of)}; the interface counts errors: check cable and port`,
      },
    },
  },
  {
    title: '现场诊断',
    by: (who) => `由 ${who}`,
    grade: { ok: '正常', warn: '需关注', fail: '异常', unknown: '未检查' },
    check: {
      link: '网线与端口',
      gateway: '网关',
      far_end: '对端',
      outside: '外部参照主机',
      dns: '域名解析',
      path: '路径',
      mtu: '报文大小',
      throughput: '吞吐量',
    },
    target: { gateway: '网关', far_end: '对端', outside: '外部主机' },
    answers: (who, _, ms) => `${who}应答正常，${ms} 毫秒`,
    losses: (who, answered, ms) => `${who}仅应答 ${answered}，${ms} 毫秒`,
    silent: (who, answered) => `${who}无应答（${answered}）`,
    not_sent: (who) => `发往${who}的探测未能发出`,
    nothing: (check) => `途中没有应答（${check}）`,
    unseen: '现场无法检查',
    finding: {
      link: {
        up: (of) => `${of('interface')} 网线已连接，${of('speed_mbit_s')} Mbit/s`,
        half_duplex: (of) => `${of('interface')} 为半双工：请检查网线和端口设置`,
        no_carrier: (of) => `${of('interface')} 无信号：请检查两端的网线和端口`,
        own: () => '目标为设备本机',
        else: () => '设备没有到该线路的路由：请检查网线、地址和网关',
      },
      gateway: {
        none: () => '途中没有网关',
        silent: () => '网关无应答：可能已中断，或设置为不应答',
      },
      outside: { else: () => '设备未配置外部参照主机' },
      dns: {
        resolves: (of) => `${of('name')} 解析为 ${of('address')}，用时 ${of('took_ms')} 毫秒`,
        slow: (of) => `${of('name')} 解析为 ${of('address')}，偏慢，用时 ${of('took_ms')} 毫秒`,
        no_answer: (of) => `域名服务器无应答（${of('servers')}）`,
        unknown_name: (of) => `${of('name')} 无法解析：请检查域名和域名服务器（${of('servers')}）`,
        else: () => '按地址探测，无需域名',
      },
      path: {
        reaches: (of) => `路径：${of('hops')}`,
        ends: (of) => `路径可见至 ${of('last')}：${of('hops')}`,
      },
      mtu: {
        usual: () => '1500 字节的报文可完整通过',
        smaller: (of) => `仅 ${of('bytes')} 字节以内的报文可完整通过`,
      },
      throughput: {
        flows: flowsZh,
        full: (of) => `${flowsZh(of)}；接口已接近满载`,
        errors: (of) => `${flowsZh(of)}；接口有错误计数：请检查网线和端口`,
      },
    },
  },
);
