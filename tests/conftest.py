"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from mercer.quality.read import Raw

hypothesis.settings.register_profile("same", derandomize=True)  # nobody's change is refused by another's luck
hypothesis.settings.register_profile("search", max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

LONG = (
    "quality/test_parity", "cli/test_learn_killed", "learn/test_ranks", "test_end_to_end", "learn/test_reranker",
    "cli/test_compress", "cli/test_index", "serve/test_browser_console", "serve/test_browser", "cli/test_learn",
)  # fmt: skip
"""Files that take longest. Begun first, none is left over for one process while the other has nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; holds where pytest-xdist keeps the order (`--no-loadscope-reorder`)."""
    places = {f"tests/{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONG)))


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


@pytest.fixture(scope="session")
def mask_piece(tiny_bert: Path) -> Callable[[Path], Path]:
    """``mask_piece(folder)``: the random BERT again, one of whose pieces is [MASK]."""
    import shutil

    def make(folder: Path) -> Path:
        shutil.copytree(tiny_bert, folder, dirs_exist_ok=True)
        path = folder / "tokenizer.json"
        path.write_text(path.read_text("utf-8").replace('"##器"', '"[MASK]"'), "utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def with_head(tiny_bert: Path) -> Callable[..., Path]:
    """``with_head(folder, Head(...))``: the random BERT with a random head on top, saved into `folder`."""
    import numpy as np

    safetensors = pytest.importorskip("safetensors.numpy")
    from mercer.encode.head import Head
    from mercer.encode.model import read
    from mercer.encode.save import save

    def make(folder: Path, head: Head) -> Path:
        rng, model = np.random.default_rng(3), read(tiny_bert)
        weight = rng.normal(0, 0.5, (head.outputs, 32)).astype(np.float32)
        tensors = safetensors.load_file(model.weights)
        tensors |= {"head.weight": weight, "head.bias": np.zeros(head.outputs, np.float32)}
        tokenizer, prefixes = model.folder / "tokenizer.json", model.prefixes
        save(folder, config=head.to_config(model.config), tensors=tensors, tokenizer=tokenizer, prefixes=prefixes)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_reranker(with_head: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random cross-encoder; its exported form lies beside it."""
    pytest.importorskip("onnxscript")
    from mercer.encode.head import Head, head_of
    from mercer.encode.head_onnx import beside
    from mercer.encode.model import read

    folder = with_head(tmp_path_factory.mktemp("rerankers") / "tiny", Head(length=48))
    beside(read(folder), head_of(read(folder)))
    return folder


NOW = 1_750_000_000_000
"""UTC milliseconds at which `clean_raws` are checked: June 2025."""


@pytest.fixture(scope="session")
def raw_of() -> Callable[..., Raw]:
    """``raw_of(family, rows, malformed=(), uncast=(), folder=...)``: what the reader would give for such rows."""
    import pyarrow as pa

    from mercer.quality.read import Raw
    from mercer.quality.schema import SCHEMAS

    broken = pa.schema([("row_id", pa.int64()), ("line", pa.int64()), ("text", pa.string()), ("problem", pa.string())])
    unfit = pa.schema([("row_id", pa.int64()), ("field", pa.string()), ("text", pa.string())])

    def make(
        family: str,
        rows: Iterable[Mapping[str, Any]],
        malformed: Iterable[Mapping[str, Any]] = (),
        uncast: Iterable[Mapping[str, Any]] = (),
        folder: Path = Path("no-such-folder"),
    ) -> Raw:
        numbered = [{"row_id": index, **row} for index, row in enumerate(rows)]
        table = pa.Table.from_pylist(numbered, schema=SCHEMAS[family])
        tables = [
            pa.Table.from_pylist(list(found), schema=schema) for found, schema in ((malformed, broken), (uncast, unfit))
        ]
        mapping = {name: name for name in SCHEMAS[family].names}
        count = table.num_rows + tables[0].num_rows
        return Raw(family, folder / f"{family}.csv", "UTF-8", "csv", table, *tables, (), mapping, count)

    return make


@pytest.fixture
def clean_rows() -> dict[str, list[dict[str, Any]]]:
    """A small bilingual shop without a fault, as rows by family; a test spoils what it wants to be found."""
    return _clean_rows()


@pytest.fixture(scope="session")
def clean_shop() -> Callable[[], dict[str, list[dict[str, Any]]]]:
    """What makes `clean_rows`, for fixtures that live longer than one test."""
    return _clean_rows


def _clean_rows() -> dict[str, list[dict[str, Any]]]:
    kinds = (
        ("Home > Kitchen", "Mug & saucer"),
        ("服饰 > 连衣裙", "纯棉连衣裙（红色）"),
        ("Sport > Tents", "Tent, café style"),
    )
    products = [
        {
            "id": f"p{index}",
            "title": f"{kinds[index % 3][1]} {index}",
            "description": f"简单 & easy 😀 < {index} cm, 50% off",
            "brand": ("Acme", "海尔", None)[index % 3],
            "category": kinds[index % 3][0],
            "price": 20.0 + index % 7,
            "list_price": 30.0,
            "currency": "CNY",
            "image": f"https://example.com/{index}.jpg",
            "attributes": '{"color": "red & 红"}',
        }
        for index in range(90)
    ]
    events = [
        {
            "event_id": f"e{index}",
            "type": ("impression", "click", "purchase")[index % 3],
            "shopper": f"s{index % 11}",
            "session": f"5{index}",
            "product": f"p{index % 90}",
            "quantity": 1.0,
            "price": 20.0,
            "time": NOW - 86_400_000 + index * 5_000,
        }
        for index in range(300)
    ]
    queries = [{"query_id": f"q{index}", "text": f"连衣裙 mug {index}"} for index in range(10)]
    judgments = [
        {"query_id": f"q{index % 10}", "product": f"p{index}", "grade": float(index % 4)} for index in range(40)
    ]
    reviews = [
        {
            "id": f"r{index}",
            "product": f"p{index}",
            "text": f"很好 {index}!!",
            "rating": 5.0,
            "time": NOW - index * 1000,
        }
        for index in range(30)
    ]
    faq = [{"question": f"如何退货 {index}?", "answer": "Within 30 days."} for index in range(5)]
    policies = [{"id": f"r{index}", "title": f"退货 {index}", "text": "签收后30天内可退。"} for index in range(5)]
    dialogues = [
        {"conversation": f"c{index // 2}", "role": ("shopper", "agent")[index % 2], "text": f"用什么快递？ {index}"}
        for index in range(10)
    ]
    families = ("products", "events", "queries", "judgments", "reviews", "faq", "policies", "dialogues")
    rows = (products, events, queries, judgments, reviews, faq, policies, dialogues)
    return dict(zip(families, rows, strict=True))


@pytest.fixture(scope="session")
def chosen_engine() -> Iterator[Any]:
    """Where `found_in` runs: DuckDB, or what the environment variable MERCER_ENGINE names (spark, ray)."""
    name = os.environ.get("MERCER_ENGINE", "duckdb")
    if name == "spark":
        from mercer.quality import engine_spark

        running = engine_spark.session(small=True)
        yield engine_spark.SparkEngine(running)
        running.stop()
        return
    from mercer.quality.engine import open_engine

    engine = open_engine(name, workers=1)
    yield engine
    engine.close()


@pytest.fixture
def found_in(raw_of: Callable[..., Raw], chosen_engine: Any) -> Callable[..., list[tuple[str, int, str, str]]]:
    """``found_in(rows, "C06")``: sorted (family, row_id, field, problem) that one check finds in rows by family."""
    from mercer.quality.check import registry
    from mercer.quality.run import QualitySettings, check

    def find(rows: Mapping[str, Any], id: str) -> list[tuple[str, int, str, str]]:
        raws = {name: given if hasattr(given, "table") else raw_of(name, given) for name, given in rows.items()}
        alone = QualitySettings(disable=tuple(other for other in registry() if other != id))
        findings = check(raws, alone, now=NOW, engine=chosen_engine).findings.to_pylist()
        names = ("family", "row_id", "field", "problem")
        return sorted(tuple(row[name] for name in names) for row in findings)

    return find


@pytest.fixture(scope="session")
def tiny_model(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """``[encode]`` for mercer.toml: the random encoder, exported once into a folder that all tests share."""
    cache = tmp_path_factory.mktemp("model-cache")
    return f'\n[encode]\nsource = "{tiny_bert}"\ncache = "{cache}"\nthreads = 1\n'


@pytest.fixture(scope="session")
def tiny_shop(tiny_model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented shop of 200 products, checked and indexed with the random encoder; copy it before writing to it."""
    testing = pytest.importorskip("typer.testing")
    from mercer.cli import app
    from mercer.sample import SampleSettings, generate

    shop: Path = tmp_path_factory.mktemp("tiny") / "shop"
    made = generate(shop / "raw", SampleSettings(products=200, shoppers=30, events=900, queries=20, images=2))
    files = [word for family, path in made.files.items() for word in (f"--{family}", str(path))]
    run = testing.CliRunner()
    outcome = run.invoke(app, ["init", str(shop), "--yes", *files])
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    with (shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write(tiny_model)
    for command in ("check", "index"):
        outcome = run.invoke(app, [command, str(shop)])
        assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    return shop


@pytest.fixture
def own_shop(tiny_shop: Path, tmp_path: Path) -> Path:
    """A copy of `tiny_shop` that a test may write to."""
    import shutil

    return Path(shutil.copytree(tiny_shop, tmp_path / "shop"))


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; a constant that JSON has not (NaN) is refused."""
        import json

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture
def mercer(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """``mercer("search", shop, "cup")``: the command as its entry point runs it, in this process."""
    import sys

    from mercer.cli import main

    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["mercer", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return Ran(int(left.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def refused(mercer: Callable[..., Ran]) -> Callable[..., str]:
    """``refused("search", shop, "x", "-k", 0)``: runs it, insists on exit code 2, a problem and a cure; gives both."""

    def run(*words: object, code: int = 2) -> str:
        ran = mercer(*words)
        assert ran.code == code, (ran.out, ran.err)
        assert ran.out == ""
        lines = ran.err.splitlines()
        problem = [line for line in lines if line.startswith("error ")]
        cure = [line for line in lines if line.startswith("cure  ")]
        assert problem, ran.err
        assert cure, ran.err
        assert len(problem[-1]) > 10
        assert len(cure[-1]) > 8
        return f"{problem[-1]} | {cure[-1]}"

    return run
