"""Fixtures that every room's tests may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data beside the repository."""
    if not SHARED.exists():
        pytest.skip("real data is not beside this repository (../shared/data is missing)")
    return SHARED


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random BERT of 32 dimensions whose pieces are single characters: `mercer.encode.load` opens it."""
    import numpy as np

    tokenizers = pytest.importorskip("tokenizers")
    from mercer.encode.save import save

    hidden, inner, layers, positions = 32, 64, 2, 64
    letters = sorted(set("abcdefghijklmnopqrstuvwxyz0123456789:红色连衣裙大子手机充电器"))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *("##" + letter for letter in letters)]
    model = tokenizers.models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder = tmp_path_factory.mktemp("models")
    tokenizer.save(str(folder / "tokenizer.json"))

    rng = np.random.default_rng(7)
    shapes = {
        "embeddings.word_embeddings.weight": (len(pieces), hidden),
        "embeddings.position_embeddings.weight": (positions, hidden),
        "embeddings.token_type_embeddings.weight": (2, hidden),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(layers):
        root = f"encoder.layer.{layer}"
        norms += [f"{root}.attention.output.LayerNorm", f"{root}.output.LayerNorm"]
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"{root}.attention.{name}.weight"] = (hidden, hidden)
        shapes[f"{root}.intermediate.dense.weight"] = (inner, hidden)
        shapes[f"{root}.output.dense.weight"] = (hidden, inner)
    tensors = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in [name for name in shapes if name.startswith("encoder")]:
        tensors[name.replace("weight", "bias")] = rng.normal(0, 0.1, shapes[name][0]).astype(np.float32)
    for name in norms:
        tensors[f"{name}.weight"] = np.ones(hidden, np.float32)
        tensors[f"{name}.bias"] = np.zeros(hidden, np.float32)
    config = {
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": inner,
        "vocab_size": len(pieces),
        "max_position_embeddings": positions,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }
    prefixes = {"query": "query: ", "passage": "passage: "}
    save(folder / "tiny", config=config, tensors=tensors, tokenizer=folder / "tokenizer.json", prefixes=prefixes)
    return folder / "tiny"
