"""What a start ends with: where to click, and the tour in order."""

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from backend.core.launch.environment import DataFolder
from backend.core.launch.options import Options

HANDSETS = [
    ("chen-li", "陈黎 · 买方仓库签收", "dock clerk, buyer"),
    ("su-qing", "苏晴 · 卖方", "seller"),
    ("ma-ye", "马野 · 司机", "driver"),
]
CONSOLES = [
    ("wen-ning", "温宁 · 风控", "risk officer"),
    ("he-chuan", "何川 · 买方财务", "buyer's office"),
]
ONE_AT_A_TIME = "one person a browser at a time; a private window for the second console"


def reachable_host(options: Options) -> str:
    """The address at which this machine itself reaches the server."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104 - compared, not bound


def address(options: Options) -> str:
    host = reachable_host(options)
    return f"http://{f'[{host}]' if ':' in host else host}:{options.port}"


def _table(rows: list[tuple[str, str, str]]) -> Table:
    """Who, and the link whole: a terminal of 80 columns has no room for both languages beside it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", style="cyan")
    for chinese, english, url in rows:
        table.add_row(Text.assemble(chinese, "\n", (english, "dim")), Text(url, style=f"link {url}"))
    return table


def show(console: Console, options: Options, folder: DataFolder) -> None:
    """Print the card of links: the demonstration's people and tour, or where an own installation begins."""
    start = address(options)
    parts = _demonstration(start) if options.demo else _own(start)
    where = Text(f"数据 data {folder.path}    日志 logs {folder.logs}    停止 stop Ctrl-C", style="dim")
    console.print(
        Panel(
            Group(*parts, Text(), where),
            title=f"翼融链 Yirong Chain · {start}",
            box=box.ROUNDED,
            border_style="green",
            padding=(1, 2),
            expand=False,
        )
    )


def _demonstration(start: str) -> list[Table | Text | Rule]:
    phones = [(chinese, english, f"{start}/m/?handset={name}") for name, chinese, english in HANDSETS]
    consoles = [(chinese, english, f"{start}/demo/console?as={name}") for name, chinese, english in CONSOLES]
    tour = [
        (
            "下单 Order",
            "陈黎的手机：签署订单；苏晴的手机：确认",
            "陈黎 signs the order on her phone, 苏晴 confirms it on hers",
        ),
        ("发货 Send", "苏晴：发 600 件，附送货单", "苏晴 sends 600 off, with the delivery note"),
        ("签收 Sign", "陈黎：打开这批货，清点，拍照，签名", "陈黎 opens the delivery, counts, photographs, signs"),
        ("上链 On chain", "同一页由“已签”变为“已上链 #n”", "the same page turns to “on chain #n”, with its proof"),
        (
            "预警 Warning",
            "打开温宁的控制台；苏晴再发 600 件，手机顶部“更改”选陈黎，签收",
            "open 温宁's console; 苏晴 sends 600 more; her phone: 更改, 陈黎, sign",
        ),
        (
            "为什么 Why",
            "控制台：点开预警，看原因与全程追溯",
            "open the alert: its reason as a sentence, and the order's trace",
        ),
    ]
    steps = Table.grid(padding=(0, 2))
    for number, (title, chinese, english) in enumerate(tour, 1):
        steps.add_row(f"{number}", Text(title, style="bold"), Text.assemble(chinese, "\n", (english, "dim")))
    return [
        Text("手机 Phones", style="bold"),
        _table(phones),
        Text(),
        Text("控制台 Console", style="bold"),
        _table(consoles),
        Text.assemble("一个浏览器一次只登录一人，第二个控制台请用无痕窗口\n", (ONE_AT_A_TIME, "dim")),
        Text(),
        Text("导览 Tour", style="bold"),
        steps,
    ]


def _own(start: str) -> list[Table | Text | Rule]:
    return [
        _table(
            [
                ("控制台", "console", f"{start}/console/"),
                ("手机页面", "phone pages", f"{start}/m/"),
                ("接口文档", "API", f"{start}/api/v1/docs/"),
            ]
        ),
        Text(),
        Text("第一个管理员 first administrator: python3 manage.py createsuperuser"),
        Text("手机登录需要 WECHAT_APPID 与 WECHAT_SECRET。 Phones sign in once these two are set.", style="dim"),
    ]
