from ppmlctl.kubernetes.field_paths import field_paths


def test_values_and_numbers_of_members_make_no_other_shape() -> None:
    one = {"spec": {"ports": [{"port": 80}], "selector": {}}, "kind": "Service"}
    other = {"spec": {"ports": [{"port": 81}, {"port": 82}], "selector": {}}, "kind": "Service"}
    assert field_paths(one) == field_paths(other)
    assert field_paths(one) == {("kind",), ("spec", "ports", "[]", "port"), ("spec", "selector")}


def test_one_field_more_is_another_shape() -> None:
    assert not field_paths({"a": [{"b": None, "c": ""}]}) <= field_paths({"a": [{"b": 1}]})
