"""Names of projects and authors that are hard to write into a file."""

NAMES = [
    "Plain",
    'It\'s "quoted"',
    'Only "double"',
    "''' and \"\"\"",
    "한강 수위 관측소",
    "Ünïcödé 🚀 🇰🇷",
    "$HOME ${PATH} 100 %s %(x)s",
    r"back\slash \n C:\temp" + "\\",
    'Bob\'s "Shop"',
    "'\\\" \\'",
    "Bob’s “Shop” – 서울：1호점",  # noqa: RUF001 -- as people write it
    "{{ name }} {% if %} {# x #} {",
    "<b>bold</b> & <script>",
    "# [x](y) *z* `code` _u_",
    "n" * 200,
]


def verbatim(name: str) -> str:
    """Return an answer that gives the name once cookiecutter has rendered it, as it renders those of the command line."""
    return f"{{% raw %}}{name}{{% endraw %}}" if "{" in name else name
