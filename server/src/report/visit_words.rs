//! What the paper of a visit report calls things, in both languages.

use super::words::Words;

pub(super) const TITLE: Words = ("现场作业与走访报告", "Visit report");
pub(super) const CUSTOMER: Words = ("客户", "Customer");
pub(super) const SITE: Words = ("地点", "Site");
pub(super) const LINE: Words = ("专线", "Line");
pub(super) const WHEN: Words = ("时间", "When");
pub(super) const WRITTEN_BY: Words = ("填写人", "Written by");
pub(super) const MET: Words = ("接待人", "Met");
pub(super) const PURPOSE: Words = ("目的", "Purpose");
pub(super) const FAULT: Words = ("故障", "Fault");
pub(super) const FILED: Words = ("档案编号", "Filed as");
pub(super) const SATISFIED: Words = ("客户是否满意", "Customer satisfied");
pub(super) const LEFT_CLEAN: Words = ("离场清理", "Site left clean");
pub(super) const YES: Words = ("是", "Yes");
pub(super) const NO: Words = ("否", "No");
pub(super) const FIELD: Words = ("项目", "Field");
pub(super) const ANSWER: Words = ("结果", "Answer");
pub(super) const RANGE: Words = ("允许范围", "Allowed range");
pub(super) const OUT_OF_RANGE: Words = ("超出范围", "out of range");
pub(super) const POINTS: Words = ("检查项", "Checklist");
pub(super) const WELL: Words = ("正常", "Well");
pub(super) const AMISS: Words = ("异常", "Not well");
pub(super) const NOTE: Words = ("说明", "Note");
pub(super) const FINDINGS: Words = ("发现的情况", "Findings");
pub(super) const NEEDS: Words = ("客户需求", "What the customer asked for");
pub(super) const PROMISES: Words = ("承诺事项", "Promises");
pub(super) const UNTIL: Words = ("期限", "By");
pub(super) const PHOTOS: Words = ("现场照片", "Photos");
pub(super) const SIGNATURE: Words = ("客户签字", "Signature");
pub(super) const NOT_SIGNED: Words = ("未签字", "Not signed");
pub(super) const NOT_ARRIVED: Words = ("尚未收到", "Not yet arrived");
pub(super) const NOT_SHOWN: Words = ("无法显示", "Cannot be shown");
