"""Nothing in; what the pages on versions say, in English and Chinese, out."""

from __future__ import annotations

__all__ = ["PHRASES"]

PHRASES = {
    "models": ("Models and versions", "模型与版本"),
    "models_note": ("What is live, what was, and what could be.", "线上、历史与候选版本。"),
    "models_serving": ("Index version {version} answers now.", "当前由索引版本 {version} 提供服务。"),
    "models_behind": (
        "Version {version} is live but could not be taken up: {fault}",
        "版本 {version} 已上线，但服务未能切换：{fault}",
    ),
    "models_taken_up": (
        "A version that is made live is taken up within a second or so.",
        "版本上线后，服务器会在一秒左右切换。",
    ),
    "models_next_start": (
        "A version that is made live is taken up when the server is started again.",
        "版本上线后，服务器将在下次启动时切换。",
    ),
    "models_live_now": ("{version} is live.", "{version} 已上线。"),
    "kind_index": ("Index versions", "索引版本"),
    "kind_checked": ("Checked data", "检查过的数据"),
    "kind_models": ("Encoders, rerankers, rankers", "编码、重排与排序模型"),
    "kind_assistant": ("Assistant", "客服助手"),
    "kind_opinion": ("Opinion", "舆情"),
    "models_none": ("There is none yet.", "还没有。"),
    "models_made": ("Made", "生成时间"),
    "models_about": ("Stands on", "基于"),
    "models_state": ("State", "状态"),
    "models_figure": ("Before → after", "之前 → 之后"),
    "models_was": ("live before", "曾上线"),
    "models_refused": ("held back", "被拦下"),
    "models_unproved": ("not proved", "未验证"),
    "models_passes": ("proof passes", "验证通过"),
    "models_promote": ("Make it live", "上线"),
    "models_rollback": ("Back to the version before", "回滚到上一版本"),
    "models_rollback_sure": ("Make the version before live again?", "确定回滚到上一版本？"),
    "models_promote_sure": ("Make {version} live?", "确定上线 {version}？"),
    "models_override": ("Why it goes live all the same", "仍要上线的理由"),
    "models_override_note": (
        "Something is against it. A reason lets it through, and is kept in the audit log.",
        "有一项不满足要求。填写理由后可以放行，理由会写入审计日志。",
    ),
    "models_no_index": (
        "No index stands on this model yet. Building one takes a while and is done on the machine:",
        "还没有基于该模型的索引。构建需要一些时间，请在机器上运行：",
    ),
    "models_card": ("Card", "说明卡"),
    "models_details": ("Settings and pairs of its training", "训练设置与样本数"),
    "models_proof": ("Proof on held-out queries", "留出查询上的验证"),
    "models_proof_none": ("It was never measured on held-out queries.", "还没有在留出查询上测过。"),
    "models_proof_plot": (
        "{metric} before (grey) and after, by kind of query",
        "{metric}：之前（灰）与之后，按查询类型",
    ),
    "models_metric": ("Measure", "指标"),
    "models_difference": ("Difference", "差值"),
    "models_interval": ("95 % interval", "95% 区间"),
    "models_queries": ("Queries", "查询数"),
    "models_loss": ("Training loss by step", "训练损失"),
    "models_valid": ("Validation by step", "验证集指标"),
    "models_all": ("all", "全部"),
    "models_compare": ("Compare with the live one", "与线上版本对比"),
    "slice_zh": ("Chinese", "中文"),
    "slice_other": ("other languages", "其他语言"),
    "slice_short": ("short", "短查询"),
    "slice_long": ("long", "长查询"),
    "slice_seen": ("seen in training", "训练中出现过"),
    "slice_unseen": ("not seen in training", "训练中未出现"),
}
