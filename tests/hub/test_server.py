"""The stand-in is enough of a hub for `datasets`, too."""

import pytest


def write(folder, lines):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.jsonl").write_text("".join(f'{{"text": "{line}"}}\n' for line in lines), encoding="utf-8")


def read(name, **how):
    import datasets

    return datasets.load_dataset(name, split="train", **how)["text"][:]


def test_a_data_set_by_name(data_hub):
    write(data_hub.folder("own/data", "datasets"), ["one", "two"])
    assert read("own/data") == ["one", "two"]


def test_a_revision_in_a_folder_of_its_own(data_hub):
    import datasets

    write(data_hub.folder("own/data", "datasets"), ["main"])
    converted = data_hub.folder("own/data@refs-convert-parquet", "datasets") / "default" / "train"
    converted.mkdir(parents=True)
    datasets.Dataset.from_dict({"text": ["converted"]}).to_parquet(converted / "0000.parquet")
    assert read("own/data", revision="refs/convert/parquet") == ["converted"]
    assert read("own/data") == ["main"]
    assert read("own/data", revision="v1") == ["main"]


def test_a_data_set_of_the_same_name_in_another_test_is_another(data_hub):
    write(data_hub.folder("own/data", "datasets"), ["three"])
    assert read("own/data") == ["three"]


def test_files_by_address(data_hub):
    write(data_hub.folder("own/data", "datasets"), ["one"])
    assert read("json", data_files="hf://datasets/own/data/train.jsonl") == ["one"]


def test_a_gated_data_set(data_hub):
    import datasets

    write(data_hub.folder("own/data", "datasets"), ["one"])
    data_hub.gated.add("own/data")
    with pytest.raises(datasets.exceptions.DatasetNotFoundError, match="is a gated dataset"):
        read("own/data")
    with pytest.raises(datasets.exceptions.DatasetNotFoundError, match="doesn't exist on the Hub"):
        read("own/other")


def test_paths_by_the_interface(data_hub):
    from huggingface_hub import HfApi

    folder = data_hub.folder("own/data", "datasets")
    write(folder / "inner", ["one"])
    found = HfApi().get_paths_info("own/data", ["inner/train.jsonl", "inner", "nothing"], repo_type="dataset")
    assert [entry.path for entry in found] == ["inner/train.jsonl", "inner"]
    assert found[0].size == (folder / "inner" / "train.jsonl").stat().st_size
