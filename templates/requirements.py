def versions(file: str) -> dict[str, set[str]]:
    """Return the versions of each package in a requirements file; several if they depend on a marker."""
    found: dict[str, set[str]] = {}
    text = (ROOT / file).read_text("utf-8")
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize(
    ("file", "group"), [("requirements.txt", "production"), ("requirements-dev.txt", "dev")]
)
def test_what_is_asked_for_is_installed(file: str, group: str) -> None:
    installed = versions(file)
    for requirement in map(Requirement, declared(group)):
        found = installed.get(canonicalize_name(requirement.name))
        assert found, f"{file} lacks {requirement.name}: make lock"
        assert all(map(requirement.specifier.contains, found)), f"{requirement}: make lock"


def test_both_files_install_the_same_versions() -> None:
    production, development = versions("requirements.txt"), versions("requirements-dev.txt")
    both = production.keys() & development.keys()
    assert {name: production[name] for name in both} == {name: development[name] for name in both}
