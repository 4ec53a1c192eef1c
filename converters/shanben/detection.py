"""Bytes that are no plain UTF-8 to characters, with the evidence for the encoding chosen.

`read_by_evidence` tries in order: byte order mark, strict UTF-8, UTF-16 without a mark, UTF-8 with damage or with
lines of another encoding, GB18030 and Big5, and what chardet knows. `encode` gives the same bytes back for
everything that `decode` accepts. Nothing is replaced silently: each U+FFFD that is not in the source stands
in a segment named ``bad``, which holds the bytes. Three habits keep that cheap:

* a bad byte ``b`` travels through a codec as the lone surrogate U+DC00+b, which no decoder makes by itself;
* a guess looks at 64 KB from the first byte that is not ASCII, and then all bytes are decoded once;
* only strict UTF-8 is trusted to come back as it was. All else is encoded again and compared, and a piece
  that comes back differently keeps its bytes in its segment.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby, islice
from typing import NamedTuple

from shanben.decode import CHECK_IT, FORMAT, FORMATS, SAMPLE, controls
from shanben.errors import EncodingError, SourceError, UsageError
from shanben.lazy import lazy_re
from shanben.values import Decoding, Segment

MOST_CHANGES = 100_000
CHINESE_SHARE = 0.6
"""From this share of common characters on, a reading is taken for Chinese; right ones have 0.9 and more."""
USUAL_SHARE = 0.9
"""A short text of rarer characters must hold so many of the usual ones, and the other readings must be far worse."""

_CHINESE = ("gb18030", "big5hkscs")
_PAIRED = (*_CHINESE, "cp950")
_SAVE_IT = "open it and save it as plain text first"
_CONVERT_IT = "convert the file to UTF-8 first, for example with iconv"
_OTHER = "name another encoding, or none to have it found out"
_NAME_IT = "name the encoding with --encoding, for example --encoding gb18030"

# Characters by falling frequency in news, law and a hand-made list of story words, with their traditional forms.
_MOST_COMMON = (
    "人一国國的中在是大了不和有会會为爲為地年以上发發行这這民个個生来來他出全我业業要新作部时時家主成对對"
    "日方到政道动動工法等进進定于於学學长長用市同高下当當区區建天经經理能也关關门門多自产產第可就说說説机"
    "機过過得十公体體开開们們后後化之展实實重分合本子代事军軍平力应應面者加表其员員设設月务務水着著前现現"
)
_VERY_COMMON = (
    "制条條心里裏裡好与與文将將你三安所都通小北明规規外共而管内內总總还還各海两兩保然起提二那强強物位量正"
    "度此山委种種如近资資场場美向去活议議利从從南院相治西入系期联聯城间間性口次情无無及战戰万萬持今由立手"
    "并並点點或最级級数數使路已东東名央电電统統任元交么麼问問头頭目书書金又领領品想看运運江常科社原见見特"
    "推信意处處党黨称稱四报報但程太基只被因教府施计計五没沒增组組老把身省比她消放网網技气氣导導世深记記息"
    "改斯习習武更济濟视視式先流权權指湖义義色决決质質些马馬风風命布河首据據调調给給农農知王取示华華回构構"
    "达達举舉单單术術造打至结結题題际際受解护護接米样樣少责責项項队隊县縣神走反收儿兒州石件形很再女续續快"
    "果台臺车車服集京带帶才广廣界企准準尔爾别別商标標非变變闻聞空专專步备備防直源求育声聲播职職话話真司线"
    "線划劃克完列传傳夫办辦听聽白创創清花百族黄黃叫支论論域汉漢团團境兵织織研什席让讓游遊它死局士究令类類"
    "装裝始做营營眼众衆眾击擊案亚亞供告即查协協张張则則铁鐵干幹革村历歷终終监監边邊选選却卻投己热熱证證具"
)
_COMMON = (
    "依约約轻輕红紅史精型号號照转轉拉光复復师師便几幾土费費根林认認格确確火俄站节節积積慢古参參青环環引未"
    "李坚堅巴远遠房皇德球病批态態八周价價笑似难難群羣药藥何住思需必春断斷低极極亿億龙龍连連势勢影考器升争"
    "爭超况況感律该該检檢整故官像效按尚审審爱愛落每志乡鄉航字吃喫校鱼魚请請功早采採范範乎速言阳陽千客帝友"
    "维維医醫段六包乌烏星观觀英双雙优優察罗羅居负負绿綠银銀黑响響须須许許届屆预預属屬验驗显顯置怎较較易旅"
    "致例算图圖料容草值往兴興围圍策亲親突纪紀越模佛食候哈严嚴晚卫衛衞修略除核象互半树樹虽雖承云雲助朝夏识"
    "識若望七执執愿願血沙兰蘭率乐樂满滿父欢歡哥钱錢破喜款九随隨督拿飞飛财財排均急坐稳穩切试試失伊存母脸臉"
    "密弟益限画畫层層养養洲雨雪征徵编編酒派善险險悄宜景片害副继繼夜降足男宣阿占佔既镇鎮斗鬥竟哪呢紧緊止港"
    "离離富股章户戶孩获獲初谁誰救违違赛賽敢底剑劍叶葉欧歐语語苦配苏蘇吧障抗短贸貿菜冷讲講刀余餘园園弹彈曲"
    "注茶脚腳衣素送促屋福攻娘测測控谈談措盖蓋普输輸演停予忙且船筑築秋陆陸木智油担擔销銷念觉覺笔筆挥揮础礎"
    "渐漸适適肉评評啊冲衝坏壞忽状狀牛招枪槍融吗嗎桥橋射饭飯臣诗詩额額暗劳勞健姑爷爺货貨胜勝静靜咱尼痛冬灯"
    "燈待歌喝份肯曾独獨般耳另艺藝音伤傷莫妈媽座守左仅僅宁寧温溫田宝寶印班充扩擴甚酸写寫细細康移阶階纸紙嘴"
    "跟床牀您箭诉訴季暖访訪纳納刻材仙临臨宫宮姐尽盡良希留庙廟献獻倒补補朋岛島登梦夢街怒架朗灾災洋警藏封睡"
    "波括寺遗遺虎虫蟲紫杨楊蓝藍录錄杀殺玉铜銅退宗罚罰压壓培右仍找庆慶醒妹疗療哭坦鸡雞楼樓香汗室申鬼免刚剛"
    "奶毛灰序绝絕欲激微陈陳亦假托久馆館羊曰迎丰豐判妻墨威窗鸟鳥呀泪淚减減罪桌粮糧博版税稅彼乃烈洪角袭襲喊"
    "刘劉署训訓琴奇召狗库庫媒辖轄危载載岸染端换換晨恨帮幫贵貴胡聚启啓啟犯遇凉涼固售午魂综綜悲答矿礦仿典亡"
    "邦差鼻犹猶棋爸仇浅淺轮輪贯貫植堂味礼禮购購峰峯皮吾岂豈甜读讀损損追呼愁背板遂剧劇掌练練牌简簡湾灣顺順"
    "词詞敌敵探乱亂鞋奋奮介沿卡辣污汙嘛猫貓秘祕厂廠椅昌毒票岁歲弗庭汽汝帽付禁述躺惟鸭鴨络絡鲜鮮盟哦驻駐错"
    "錯异異怕彻徹惊驚够夠蒙辑輯针針阵陣荣榮抓兔吸幕索矣永彩块塊嗯吉败敗延鼓涉买買逐雄符塞援享扬揚含勒归歸"
    "签籤某焉截附瓦亮散哉顾顧否累旧舊遭齐齊兮孙孫祖沉繁句荆荊授吴吳困毕畢奖獎澳伯塔侵妇婦伙夥坛壇汇匯刑松"
    "川卖賣闭閉杂雜黎泽澤朱频頻伟偉顶頂楚贡貢丽麗奥奧讨討牙震钟鍾宋韩韓野雷仪儀盛伴怀懷释釋顿頓抵赵趙露洞"
    "靠穿兄舞跨套恩订訂冰脑腦丁姓励勵残殘束旗盘盤祝陵赶趕岗崗炮津巨裁努储儲脱脫币幣疾践踐废廢灵靈秀卷丹振"
    "拥擁厚疑鄂烟煙圆圓侧側吨噸襄鲁魯店唐甲骨恢恶惡暴乘竞競森谢謝宽寬舰艦扎误誤宪憲童操毫私软軟隐隱幅缺链"
    "鏈械末零麦麥萨薩径徑谷谋謀纷紛择擇潜潛抢搶绍紹绕繞辆輛撤析避毁毀爆刺兼厅廳握借贺賀址尊亩畝夺奪罢罷绩"
    "績寻尋洛熟课課殿折墙牆键鍵惠庄莊怪旁跑履横橫休圣聖偿償翻戏戲概途壮壯烧燒篇码碼婚殖牢丝絲贫貧筹籌岩巖"
    "虚虛诸諸梁佈"
)
_SYLLABLES = (
    "이다는의에을가고하지로한도기사를은인어나서시대자리정부수해일아상스여보있그장들만전원면주제동과라구국"
    "연조유공신적게요우세비안마선관학성계생발물민무용내모년명차당방경파거교행소업것위진개회출러했와니간실"
    "히때까며오후심야습었없았및던말화통된할될않으작재질예집금달식설"
)

_RANK = {character: 3 - tier for tier, row in enumerate((_MOST_COMMON, _VERY_COMMON, _COMMON)) for character in row}
_PUNCTUATION = frozenset("\u3000，。、；：？！“”‘’（）《》〈〉【】「」『』…—·　％０１２３４５６７８９")
_GOOD = _RANK | dict.fromkeys(_PUNCTUATION, 1)
# What is common in UTF-16 and is not made by two bytes of a legacy text: also ASCII, Latin-1, kana.
_WIDE = (
    frozenset(_GOOD)
    | {"\t", "\n", "\r"}
    | {chr(c) for c in (*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x3041, 0x30FF))}
)

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)


_ESCAPE = "shanben.escape"
_ESCAPED = lazy_re("[\udc00-\udcff]+")
_NOT_ASCII = lazy_re(rb"[\x80-\xff]")
_HIGH = bytes(range(0x80, 0x100))
# UTF-8 Chinese: three characters in a row, or one or two between ASCII. Written out, because a counted group
# is five times slower to search for.
_UTF8_RUN = lazy_re(
    rb"[\xe3-\xe9][\x80-\xbf]{2}(?:[\xe3-\xe9][\x80-\xbf]{2}[\xe3-\xe9][\x80-\xbf]{2}"
    rb"|(?<![\x80-\xff].{3})(?:[\xe3-\xe9][\x80-\xbf]{2})?(?![\x80-\xff]))",
    re.DOTALL,
)
_CLEAR = lazy_re("[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]{3,}")
_TWO_BYTES = lazy_re("[\u0080-\u07ff]")
_THREE_BYTES = lazy_re("[\u0800-\U0010ffff]")
_LINE_END = lazy_re(r"[\r\n]|\Z")

# Where Python's big5hkscs and Microsoft's cp950 differ, Taiwanese files mean what cp950 says: the dot in
# names, the full-width tilde. Elsewhere (C6A1-C8FE) cp950 of Python follows an old table that no file meant.
_CP950 = dict(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True))
_BIG5_ODD = lazy_re(f"([{''.join(_CP950)}])")

_LONE = lazy_re(r"(?<=[A-Za-z])[^\x00-\x7f](?=[A-Za-z])")
# Common Korean syllables; kana; Russian words, whose capitals come first. With the share of letters needed.
_FOREIGN = (
    ("euc_kr", re.compile(f"[{_SYLLABLES}]"), 0.4, "Korean"),
    ("euc_jp", re.compile("[\u3041-\u30fe]"), 0.3, "Japanese"),
    ("koi8-r", re.compile("(?<![А-яЁё])[А-яЁё][а-яё]*(?![А-яЁё])"), 1.0, "Russian"),
    ("cp1251", re.compile("(?<![А-яЁё])[А-яЁё][а-яё]*(?![А-яЁё])"), 1.0, "Russian"),
)

# Labels without their punctuation. What is called GB2312 on the way often holds characters of GBK.
_GB_LABEL = lazy_re(
    r"(?:cs|x|euc)?gb(?:k|2312|18030)?(?:19|20|80)*(?:cn)?|(?:cp|ms|windows)?936|euccn|chinese"
    r"|csiso58gb231280|isoir58|hz(?:gb(?:2312)?)?"
)
_BIG5_LABEL = lazy_re(r"(?:cs|cn|x)?x?big5(?:hk|hkscs)?(?:tw|1999|2001|2004|2008)?|hkscs")
_REFUSED = {
    "utf-7": "it keeps a state from byte to byte",
    "hz": "it keeps a state from byte to byte",
    "idna": "it is for host names",
    "punycode": "it is for host names",
    "unicode-escape": "it is for program source",
    "raw-unicode-escape": "it is for program source",
    "charmap": "it is no encoding by itself",
    "undefined": "it is no encoding by itself",
    "mbcs": "it means something else on each computer",
    "oem": "it means something else on each computer",
}


class _Piece(NamedTuple):
    """Some characters and where their bytes are: in ``raw``, or to be had from ``encoding``."""

    text: str
    encoding: str
    raw: bytes | None = None


class _Score(NamedTuple):
    """How Chinese a reading looks. ASCII does not count; a bad byte counts as one strange character."""

    share: float
    weight: float
    seen: int
    bad: int


class _Found(NamedTuple):
    encoding: str
    confidence: float
    pieces: Sequence[_Piece]


_Answer = tuple[_Found | None, str]


def read_by_evidence(data: bytes, encoding: str | None, name: str, threshold: float) -> tuple[str, Decoding]:
    """Turn bytes that are no plain UTF-8 into text; see `decode`."""
    if (signature := FORMAT.match(data)) and signature.lastindex:
        kind = FORMATS[signature.lastindex - 1][1]
        raise SourceError(f"this is {kind}, not a text", where=name, fix=_SAVE_IT)
    if encoding is not None:
        mark, found, said = _as_told(data, encoding, name)
        evidence = [said]
    else:
        mark, codec = _mark(data)
        body = data[len(mark) :]
        evidence = [f"byte order mark of {codec}" if mark else "no byte order mark"]
        if codec in ("", "utf-8"):
            found = _guess(body, codec, name, threshold, evidence)
        else:
            found = _Found(codec, 1.0, _decode_exactly(body, codec))
    if mark:
        found = found._replace(pieces=[_Piece("", dict(_MARKS)[mark], mark), *found.pieces])
    text, decoding = _finish(found, evidence)
    if not text:
        raise SourceError("the source is empty but for a byte order mark", where=name, fix=CHECK_IT)
    return text, decoding


def _guess(data: bytes, marked: str, name: str, threshold: float, evidence: list[str]) -> _Found:
    """Take the first reading that holds and note in ``evidence`` what was tried."""
    for found, said in _attempts(data, name, threshold):
        evidence.append(said)
        if found:
            return found
    if marked and _fits(data, marked):
        evidence.append("read as the byte order mark says, with bytes that do not fit")
        return _Found(marked, 0.5, _decode_exactly(data, marked))
    raise EncodingError(f"no encoding explains the bytes well enough: {evidence[-1]}", where=name, fix=_NAME_IT)


def _attempts(data: bytes, name: str, threshold: float) -> Iterator[_Answer]:
    """Make the attempts in their order, each only when it is asked for.

    Valid UTF-8 with NULs or control characters waits until UTF-16 is ruled out, which is full of them.
    """
    found, said = _strict_utf8(data)
    if found and not (b"\0" in data or controls(data[:4096])):
        yield found, said
    yield None, f"{said}, but control characters stand in it" if found else said
    yield _wide(data)
    if _is_binary(data, most=0.3 if found else 0.05):
        raise SourceError("this is binary data, not a text", where=name, fix=_SAVE_IT)
    if found:
        yield found, "UTF-8 with a few control characters"
    yield _utf8_by_lines(data, name)
    yield _chinese(data)
    yield _by_chardet(data, threshold)


def _finish(found: _Found, evidence: Iterable[str]) -> tuple[str, Decoding]:
    """Lay the pieces side by side; neighbours of one kind become one segment."""
    segments: list[Segment] = []
    texts = []
    start = 0
    for text, encoding, raw in _merged(found.pieces):
        segments.append(Segment(start, start + len(text), encoding, raw))
        texts.append(text)
        start += len(text)
    decoding = Decoding(found.encoding, round(found.confidence, 4), tuple(evidence), tuple(segments))
    return "".join(texts), decoding


def _merged(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Join neighbours of one kind."""
    for (encoding, has_raw), group in groupby(pieces, lambda p: (p.encoding, p.raw is not None)):
        same = list(group)
        text = "".join(p.text for p in same)
        raw = b"".join(p.raw or b"" for p in same) if has_raw else None
        if text or raw:
            yield _Piece(text, encoding, raw)


# Reading with bad bytes kept


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + b) for b in error.object[error.start : error.end]), error.end


codecs.register_error(_ESCAPE, _escape)


def _read(data: bytes, codec: str) -> str:
    r"""Decode; a byte ``b`` that does not fit becomes U+DC00+b.

    >>> _read(b"\xff\xc9\xc6", "gb18030")
    '\udcff善'
    """
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        pass
    if not codec.startswith(("utf-16", "utf-32")):
        try:  # the same mapping in C, but for bytes from 0x80 on only; in UTF-16 it would fall out of step
            return data.decode(codec, "surrogateescape")
        except UnicodeDecodeError:
            pass
    return data.decode(codec, _ESCAPE)


def _split(text: str, codec: str) -> Iterator[_Piece]:
    """Part good characters from escaped bytes."""
    start = 0
    for bad in _ESCAPED.finditer(text):
        if start < bad.start():
            yield _Piece(text[start : bad.start()], codec)
        raw = bytes(ord(c) & 0xFF for c in bad.group())
        yield _Piece("\ufffd" * len(raw), "bad", raw)
        start = bad.end()
    if start < len(text):
        yield _Piece(text[start:], codec)


def _bytes_of(pieces: Iterable[_Piece]) -> bytes:
    return b"".join(p.text.encode(p.encoding) if p.raw is None else p.raw for p in pieces)


def _bad(pieces: Iterable[_Piece]) -> int:
    return sum(len(p.raw or b"") for p in pieces if p.encoding == "bad")


def _misfits(count: int) -> str:
    return "1 byte does not fit" if count == 1 else f"{count} bytes do not fit"


def _comes_back(pieces: Iterable[_Piece], data: bytes) -> bool:
    try:
        return _bytes_of(pieces) == data
    except UnicodeEncodeError:
        return False


def _decode_exactly(data: bytes, codec: str) -> list[_Piece]:
    r"""Decode so that the pieces give ``data`` back: what the codec would write differently keeps its bytes.

    >>> _decode_exactly(b"\xa1\xfe", "big5hkscs")  # a second code for the slash
    [_Piece(text='／', encoding='big5hkscs', raw=b'\xa1\xfe')]
    """
    text = _read(data, codec)
    if codec in _PAIRED and _ESCAPED.search(text):
        text = _in_step(data, codec)
    pieces = list(_split(text, codec))
    if _comes_back(pieces, data):
        return pieces
    pieces = list(_merged(_in_chunks(data, codec, 4096)))
    if _comes_back(pieces, data):
        return pieces
    # Japanese codecs of 2004 write some pairs of characters as one: no cut is safe, so all bytes are kept.
    return list(_in_chunks(data, codec, 1, keep=True))


def _in_step(data: bytes, codec: str) -> str:
    r"""Read damaged GB18030 or Big5 so that a lost byte costs its own character only.

    Where one of two bytes is lost, a plain decoder pairs all that follow wrongly, up to the next ASCII.

    >>> damaged = "校勘之学".encode("gbk") + "问".encode("gbk")[:1] + "由来已久".encode("gbk")
    >>> _read(damaged, "gb18030"), _in_step(damaged, "gb18030")
    ('校勘之学斡衫匆丫\udcc3', '校勘之学\udcce由来已久')
    """
    texts = []
    budget = SAMPLE * 4
    for line in data.splitlines(keepends=True):
        text = _read(line, codec)
        if budget > len(line) and _ESCAPED.search(text):
            budget -= len(line)
            text = _best_path(line, codec)
        texts.append(text)
    return "".join(texts)


def _best_path(line: bytes, codec: str) -> str:
    """Find the best sequence of characters and bad bytes: common characters earn, a bad byte costs."""
    scores = [0.0] + [-1e9] * len(line)
    steps = [""] * len(scores)
    sizes = [0] * len(scores)
    for start, byte in enumerate(line):
        options = [(1, chr(byte), 0.0) if byte < 0x80 else (1, chr(0xDC00 + byte), -6.0)]
        if byte >= 0x80:
            for size in (2, 4):
                character = _character(line[start : start + size], codec)
                options += [(size, character, _GOOD.get(character, 0))] if character else []
        for size, character, gain in options:
            if start + size <= len(line) and scores[start] + gain > scores[start + size]:
                scores[start + size] = scores[start] + gain
                steps[start + size], sizes[start + size] = character, size
    characters = []
    place = len(line)
    while place:
        characters.append(steps[place])
        place -= sizes[place]
    return "".join(reversed(characters))


@lru_cache(maxsize=1 << 16)
def _character(raw: bytes, codec: str) -> str:
    """Give the one character that these bytes are, or nothing."""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return ""
    return text if (len(text) == 1 and len(text.encode(codec)) == len(raw)) else ""


def _in_chunks(data: bytes, codec: str, size: int, *, keep: bool = False) -> Iterator[_Piece]:
    """Find the pieces that do not come back: in chunks, in smaller chunks, beside bad bytes one by one.

    With ``keep`` also those that come back keep their bytes.
    """
    decoder = codecs.getincrementaldecoder(codec)(_ESCAPE)
    waiting = b""
    for start in range(0, len(data), size):
        chunk = waiting + data[start : start + size]
        text = decoder.decode(data[start : start + size], start + size >= len(data))
        waiting = decoder.getstate()[0] if start + size < len(data) else b""
        done = chunk[: len(chunk) - len(waiting)]
        pieces = list(_split(text, codec))
        if _comes_back(pieces, done) and not (keep and not _bad(pieces)):
            yield from pieces
        elif size > 64 or (size > 1 and _bad(pieces)):
            yield from _in_chunks(done, codec, size // 64)
        elif _bad(pieces):
            yield _Piece("\ufffd" * len(done), "bad", done)
        else:
            yield _Piece(text, codec, done)


def _decode_whole(data: bytes, codec: str) -> tuple[str, list[_Piece]]:
    r"""Decode exactly; Big5 as big5hkscs, and as cp950 where that says better what Taiwanese files mean.

    >>> _decode_whole(b"\xa1\xe3", "big5hkscs")
    ('cp950', [_Piece(text='～', encoding='cp950', raw=None)])
    """
    if codec != "big5hkscs":
        return codec, _decode_exactly(data, codec)
    text = _read(data, "big5hkscs")
    likely = text
    for odd, usual in _CP950.items():
        likely = likely.replace(odd, usual)
    taiwan = _read(data, "cp950") if likely != text or _ESCAPED.search(text) else text
    bad, bad_taiwan = (sum(map(len, _ESCAPED.findall(t))) for t in (text, taiwan))
    if bad_taiwan < bad or (likely != text and (bad or taiwan == likely)):
        return "cp950", _decode_exactly(data, "cp950")
    if likely == text:
        return "big5hkscs", _decode_exactly(data, "big5hkscs")
    parts = (
        [_Piece(_CP950[part], "cp950")] if part in _CP950 else _split(part, "big5hkscs")
        for part in _BIG5_ODD.split(text)
    )
    pieces = [piece for part in parts for piece in part]
    return "big5hkscs", pieces if _comes_back(pieces, data) else _decode_exactly(data, "big5hkscs")


# Scores


def _score(text: str) -> _Score:
    """Count common Chinese characters and punctuation among all that is not ASCII.

    >>> _score("abc 的一是"), _score("abc")
    (_Score(share=1.0, weight=3.0, seen=3, bad=0), _Score(share=0.0, weight=0.0, seen=0, bad=0))
    """
    seen = good = weight = bad = 0
    for character, count in Counter(text).items():
        if character > "\x7f":
            seen += count
            rank = _GOOD.get(character, 0)
            good += count if rank else 0
            weight += count * rank
            bad += count if "\udc00" <= character <= "\udcff" else 0
    return _Score(good / seen, weight / seen, seen, bad) if seen else _Score(0.0, 0.0, 0, 0)


def _sample(data: bytes) -> bytes:
    """Give 64 KB from the first byte that is not ASCII: ASCII tells nothing about the encoding."""
    first = _NOT_ASCII.search(data)
    return data[first.start() : first.start() + SAMPLE] if first else b""


def _read_sample(sample: bytes, codec: str) -> str:
    """Read a sample; a character that the sample's end has cut is no bad byte."""
    if len(sample) < SAMPLE:
        return _read(sample, codec)
    return codecs.getincrementaldecoder(codec)(_ESCAPE).decode(sample)


def _is_binary(data: bytes, *, most: float) -> bool:
    """Tell binary data by its share of control characters: random bytes have 9 in 100, NULs are worse."""
    head = data[:SAMPLE]
    count = controls(head)
    return count >= 4 and (count > most * len(head) or head.count(0) > 0.05 * len(head))


def _fits(data: bytes, codec: str) -> bool:
    """Look at windows all over the data, so that noise behind a good start does not cost a full decode."""
    step = max(4096, len(data) // 16)
    windows = b"".join(data[i : i + 4096] for i in range(0, len(data), step))
    return sum(map(len, _ESCAPED.findall(_read(windows, codec)))) <= 64 + len(windows) // 20


@cache
def _usual() -> frozenset[str]:
    """Give the characters of the first levels of GB 2312 and Big5, which their makers chose as the usual ones."""
    first = bytes(b for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF) for b in (lead, trail))
    trails = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    second = bytes(b for lead in range(0xA4, 0xC7) for trail in trails for b in (lead, trail))
    return frozenset(first.decode("gb2312", "ignore") + second.decode("big5", "ignore")) | _GOOD.keys()


def _usual_share(text: str) -> float:
    """Give the share of usual Chinese characters and punctuation among all that is not ASCII.

    >>> _usual_share("喧闹,"), _usual_share("ⓐ善")
    (1.0, 0.5)
    """
    counts = Counter(re.sub("[\x00-\x7f]", "", text))
    return sum(n for c, n in counts.items() if c in _usual()) / max(1, counts.total())


# The attempts, in their order


def _mark(data: bytes) -> tuple[bytes, str]:
    r"""Find a byte order mark that the bytes after it bear out, and its codec.

    >>> _mark(b"\xff\xfe-N"), _mark(b"\xff\xfe\xff\xff\xff"), _mark(b"-N")
    ((b'\xff\xfe', 'utf-16-le'), (b'', ''), (b'', ''))
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            text = _read_sample(data[len(mark) :][:SAMPLE], codec)
            bad = sum(map(len, _ESCAPED.findall(text)))
            if codec == "utf-8" or (bad <= 3 + len(text) // 20 and 2 * bad <= max(0, len(text) - 1)):
                return mark, codec
    return b"", ""


def _strict_utf8(data: bytes) -> _Answer:
    """Read UTF-8 without any fault."""
    try:
        return _Found("utf-8", 1.0, [_Piece(data.decode(), "utf-8")]), "UTF-8: every byte fits"
    except UnicodeDecodeError as error:
        return None, f"not strict UTF-8: the byte {data[error.start]:#04x} at offset {error.start} does not fit"


def _wide(data: bytes) -> _Answer:
    """Read UTF-16 or UTF-32 without a mark: nearly all common Chinese and ASCII, or NULs in every other place."""
    head = data[:4096]
    names = ["utf-16-le", "utf-16-be"]
    if head.count(0) * 2 > len(head) and len(data) % 4 == 0:
        names += ["utf-32-le", "utf-32-be"]
    (worse, _), (share, codec) = sorted((_wide_share(head, codec), codec) for codec in names)[-2:]
    if share < CHINESE_SHARE and share >= worse + 0.2 and _is_usual_wide(head, codec):
        share = CHINESE_SHARE
    if share < CHINESE_SHARE or len(data) < (8 if share < 1 else 6):
        return None, "not UTF-16"
    said = f"{codec}: {share:.0%} of the characters are common ones"
    return _Found(codec, min(share, 0.99), _decode_exactly(data, codec)), said


def _wide_share(head: bytes, codec: str) -> float:
    """Give the share of characters that a UTF-16 or UTF-32 text would have: common Han, kana, ASCII.

    Letters of other scripts count when NULs stand in one place of two only: no other encoding does that.
    """
    zeros = [head[place::2].count(0) for place in (0, 1)]
    high, low = zeros if codec.endswith("be") else zeros[::-1]
    letters = codec.startswith("utf-32") or (high >= 2 and high * 40 >= len(head) and low * 4 <= high)
    counts = Counter(head.decode(codec, "replace"))
    good = sum(n for c, n in counts.items() if c in _WIDE or (letters and c.isalnum()))
    return good / max(1, counts.total())


def _is_usual_wide(head: bytes, codec: str) -> bool:
    """Tell Chinese of rarer characters in UTF-16 or UTF-32: nearly all are usual or ASCII, and some are Han."""
    text = head.decode(codec, "replace")
    han = sum("\u3400" <= c <= "\u9fff" for c in text)
    plain = sum(c.isascii() and (c.isprintable() or c in "\t\n\r") for c in text)
    usual = sum(c in _usual() for c in text)
    return 2 * han >= len(text) >= 6 and usual + plain >= USUAL_SHARE * len(text)


def _utf8_counts(data: bytes) -> tuple[int, int, bool]:
    """Count the good characters beyond ASCII and the faults; tell whether one of three bytes is among them."""
    good = data.decode("utf-8", "ignore")
    faults = len(data.decode("utf-8", "replace")) - len(good)
    return len(good) - len(data.translate(None, _HIGH)), faults, bool(_THREE_BYTES.search(good))


def _is_mostly_utf8(data: bytes) -> bool:
    """Tell damaged UTF-8. Legacy texts make good characters by chance, but few, and of two bytes only."""
    good, faults, long = _utf8_counts(data)
    if good >= (max(6, 2 * faults) if long else max(4, 4 * faults)):
        return True
    return long and len(data) <= SAMPLE and _score(_read(data, "utf-8")).share >= CHINESE_SHARE


def _utf8_by_lines(data: bytes, name: str) -> _Answer:
    """Read UTF-8 with bad bytes, or with lines (or parts of lines) in GB18030 or Big5."""
    sample = _sample(data)
    if not (_UTF8_RUN.search(data) or (_is_mostly_utf8(sample) and not _best_chinese(sample)[0])):
        return None, "not UTF-8 with a few bad bytes"
    text = _read(data, "utf-8")
    legacy = _legacy_stretches(text, name)
    if not (legacy or (_is_mostly_utf8(data) and _fits(data, "utf-8"))):
        return None, "not UTF-8 with a few bad bytes or lines: too much does not fit"
    pieces: list[_Piece] = []
    good = start = 0
    for begin, end, codec in [*legacy, (len(text), len(text), "utf-8")]:
        for piece in _split(text[start:begin], "utf-8"):
            plain = piece.text.isascii()
            good += not plain and piece.raw is None
            # ASCII is the same in all of them, so a line end makes no segment of its own.
            same = plain and pieces and pieces[-1].raw is None
            pieces.append(piece._replace(encoding=pieces[-1].encoding) if same else piece)
        pieces += _decode_whole(_back(text[begin:end]), codec)[1]
        start = end
    if not good:
        return None, "not UTF-8: no line of it holds more than ASCII"
    bad = _bad(pieces)
    said = f"UTF-8, but {_misfits(bad)}" if bad else "UTF-8"
    confidence = 1 - bad / len(data)
    if not legacy:
        return _Found("utf-8", confidence, pieces), said
    names = sorted({codec for _, _, codec in legacy})
    said += f", with stretches in another encoding: {len(legacy)} in {' and '.join(names)}"
    return _Found(f"mixed: {' + '.join(['utf-8', *names])}", 0.9 * confidence, pieces), said


def _back(text: str) -> bytes:
    """Give the bytes of a stretch that `_read` made from UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _lines(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Give the lines that hold a match; a lone carriage return ends a line too."""
    start = 0
    while hit := pattern.search(text, start):
        start = max(start, text.rfind("\n", start, hit.start()) + 1, text.rfind("\r", start, hit.start()) + 1)
        end = _LINE_END.search(text, hit.end())
        stop = end.start() if end else len(text)
        yield start, stop
        start = stop


def _suspects(text: str) -> Iterator[tuple[int, int]]:
    """Give each stretch with bad bytes: a line, or what clear UTF-8 Chinese leaves of it."""
    for start, stop in _lines(text, _ESCAPED):
        for clear in _CLEAR.finditer(text, start, stop):
            if _ESCAPED.search(text, start, clear.start()):
                yield start, clear.start()
            start = clear.end()
        if _ESCAPED.search(text, start, stop):
            yield start, stop


def _legacy_stretches(text: str, name: str) -> list[tuple[int, int, str]]:
    """Find what is GB18030 or Big5 in a text read as UTF-8, in order; nothing if too much is neither.

    One encoding is chosen for all stretches together, because each alone is short; the other one is taken
    only where it fits far better. A line of two-byte characters may be both and then follows the others.
    """
    joined, size = [], 0
    for start, stop in islice(_suspects(text), SAMPLE):
        if size >= SAMPLE:
            break
        score = _score(text[start : min(stop, start + SAMPLE)])
        if score.bad * 2 > score.seen:
            joined.append(_back(text[start : min(stop, start + SAMPLE)]))
            size += len(joined[-1])
    codec, *_ = _best_chinese(b"\n".join(joined)[:SAMPLE])
    if not codec:
        return []
    found = []
    strange = changes = last = 0
    for start, stop in _suspects(text):
        reading = _legacy_codec(text, start, stop, codec)
        if reading:
            found.append((start, stop, reading))
            changes += start > last + 1
            last = stop
        else:
            strange += 1 if stop - start < SAMPLE else 1000
        if strange > 100 + len(found):
            return []
        if changes > MOST_CHANGES:
            raise EncodingError(f"the encoding changes more than {MOST_CHANGES} times", where=name, fix=_NAME_IT)
    for start, stop in islice(_lines(text, _TWO_BYTES), MOST_CHANGES):
        line = text[start:stop]
        if not _THREE_BYTES.search(line):
            chinese = _read(line.encode(), codec)
            score = _score(chinese)
            if _is_chinese(score) and score.weight >= 1.5 and len({c for c in chinese if c > "\x7f"}) > 1:
                found.append((start, stop, codec))
    return sorted(found)


def _legacy_codec(text: str, start: int, stop: int, codec: str) -> str:
    """Tell which encoding a stretch with bad bytes is in: ``codec``, the other Chinese one, or neither."""
    stretch = text[start : min(stop, start + SAMPLE)]
    raw = _back(stretch)
    utf8, best = _score(stretch), _score(_read(raw, codec))
    if best.share <= 0.7 and best.seen >= 4:
        other = next(c for c in _CHINESE if c != codec)
        second = _score(_read(raw, other))
        if second.share >= best.share + 0.3:
            codec, best = other, second
    whole = start == 0 or text[start - 1] in "\r\n"
    fits = _is_chinese(best, least=1 if whole else 2) and best.share > 1 - utf8.bad / utf8.seen
    fits = fits or (whole and best.bad == 0 and best.share >= 0.3 > utf8.share)
    return codec if fits and (stop - start <= SAMPLE or _fits(_back(text[start:stop]), codec)) else ""


def _is_chinese(score: _Score, *, least: int = 2) -> bool:
    """Tell Chinese by its common characters; a few bad bytes are let pass, in a short text one of three."""
    enough = score.seen >= least and score.share >= CHINESE_SHARE and (score.seen >= 16 or score.weight >= 1)
    return enough and score.bad <= min(3 + score.seen // 25, score.seen // 3)


def _best_chinese(sample: bytes) -> tuple[str, float, str]:
    """Choose between GB18030 and Big5: the codec or nothing, its share, and what was found.

    One lost byte in a short text pairs most others wrongly; so what fails is tried again, in step.
    """
    said = ""
    for read, size in ((_read_sample, SAMPLE), (_in_step, 4096)):
        scores = [(_score(read(sample[:size], codec)), codec) for codec in _CHINESE]
        best, codec = max(scores, key=lambda s: (round(s[0].share, 2), s[0].weight))
        said = said or "share of common characters: " + ", ".join(f"{c} {s.share:.0%}" for s, c in scores)
        if _is_chinese(best):
            language = _foreign(sample[:4096], codec, best)
            if language:
                return "", 0.0, f"rather {language} than Chinese; {said}"
            return codec, min(best.share, 0.99), f"Chinese; {said}"
        if not best.bad:
            usual = _usual_share(read(sample[:size], codec))
            if _is_rare_chinese(best, min(s.share for s, _ in scores), usual, sample[:4096], codec):
                return codec, min(best.share, 0.99), f"Chinese; {said}, of usual ones {usual:.0%}"
            break
    return "", 0.0, f"not Chinese; {said}"


def _is_rare_chinese(best: _Score, other: float, usual: float, sample: bytes, codec: str) -> bool:
    """Tell Chinese of rarer characters: nearly all are usual, and no other reading comes near.

    ``other`` is the share of common characters in the other Chinese encoding.
    """
    if best.seen < 5 or best.share < max(0.4, other + 0.3) or usual < USUAL_SHARE:
        return False
    if _foreign(sample, codec, best):
        return False
    for neighbour in ("euc_kr", "euc_jp", "shift_jis"):
        reading = codecs.getincrementaldecoder(neighbour)("replace").decode(sample)
        letters = [c for c in reading if c > "\x7f" and c.isalpha()]
        hangul = sum("\uac00" <= c <= "\ud7a3" for c in letters)
        if "\ufffd" not in reading and (_score(reading).share >= best.share - 0.1 or hangul == len(letters)):
            return False
    return True


def _foreign(sample: bytes, chosen: str, score: _Score) -> str:
    """Name the language that explains a sample as well: short texts make common Chinese by chance.

    >>> _foreign("저녁을 준비".encode("euc_kr"), "gb18030", _Score(0.6, 1.0, 5, 0))
    'Korean'
    """
    if score.weight >= 2:
        return ""
    if 2 * len(_LONE.findall(_read(sample, chosen))) >= score.seen:
        return "Latin"
    for codec, pattern, least, language in _FOREIGN:
        reading = codecs.getincrementaldecoder(codec)("replace").decode(sample)
        letters = re.sub("[\x00-\x7f]", "", reading)
        if "\ufffd" not in reading and sum(map(len, pattern.findall(reading))) >= least * len(letters):
            return language
    return ""


def _chinese(data: bytes) -> _Answer:
    """Read GB18030 (which holds GB2312 and GBK) or Big5, whichever makes more common characters."""
    codec, share, said = _best_chinese(_sample(data))
    return _unless_bad(data, codec, share, said) if codec else (None, said)


def _unless_bad(data: bytes, codec: str, confidence: float, said: str) -> _Answer:
    """Decode what a sample has told, unless too much of the rest does not fit."""
    if not _fits(data, codec):
        return None, f"{said}; but much of the rest is not {codec}"
    codec, pieces = _decode_whole(data, codec)
    bad = _bad(pieces)
    if bad > 4 + len(data) // 50:
        return None, f"{said}; but in {codec} {_misfits(bad)}"
    return _Found(codec, confidence, pieces), said + (f"; {_misfits(bad)}" if bad else "")


def _by_chardet(data: bytes, threshold: float) -> _Answer:
    """Ask chardet about what is left: Japanese, Korean, Cyrillic, Latin."""
    import chardet  # 40 ms, and most sources never come here

    first = _NOT_ASCII.search(data)
    start = max(0, (first.start() if first else 0) - 256)
    guesses = []
    for guess in chardet.detect_all(data[start : start + SAMPLE], ignore_threshold=True):
        try:
            codec = _codec(guess["encoding"] or "")
        except UsageError:
            continue
        if codec != "utf-8":  # it has been ruled out with more care than chardet takes
            guesses.append((codec, guess["confidence"]))
    if not guesses:
        return None, "chardet has no guess"
    said = "chardet guesses " + ", ".join(f"{codec} ({confidence:.2f})" for codec, confidence in guesses[:3])
    codec, confidence = guesses[0]
    if confidence < threshold:
        return None, f"{said}; {threshold:g} is needed"
    return _unless_bad(data, codec, confidence, said)


# The encoding that the user names


def _codec(label: str) -> str:
    """Give Python's name for an encoding, or refuse it. GB2312 and GBK are read as GB18030.

    >>> _codec("GB_2312-80"), _codec("x-gbk"), _codec("Big5"), _codec("UTF8")
    ('gb18030', 'gb18030', 'big5hkscs', 'utf-8')
    """
    key = re.sub("[^a-z0-9]", "", label.lower())
    if _GB_LABEL.fullmatch(key):
        return "gb18030"
    if _BIG5_LABEL.fullmatch(key):
        return "big5hkscs"
    try:
        codec = codecs.lookup(label).name
    except (LookupError, ValueError) as error:
        raise UsageError(f"the encoding {label!r} is not known", fix=f"{_NAME_IT}, utf-8 or big5") from error
    try:
        b"a".decode(codec)
    except UnicodeError:
        pass  # one byte is no character in UTF-16; `undefined` is refused below
    except LookupError as error:
        raise UsageError(f"{label!r} is no text encoding", fix=f"{_NAME_IT}, utf-8 or big5") from error
    shown = codec.replace("_", "-")
    why = _REFUSED.get(shown) or (_REFUSED["utf-7"] if shown.startswith("iso2022") else "")
    if why:
        raise UsageError(f"the encoding {label!r} cannot be used: {why}", fix=_CONVERT_IT)
    return {"utf-8-sig": "utf-8"}.get(codec, codec)


def _as_told(data: bytes, label: str, name: str) -> tuple[bytes, _Found, str]:
    """Read what the user says it is; also give the byte order mark, if it is of that encoding.

    A large file of which a twentieth does not fit is refused: it would only make a million segments.
    """
    codec = _codec(label)
    if "hz" in label.lower() and b"~{" in data:
        raise UsageError(f"the encoding {label!r} cannot be used: {_REFUSED['utf-7']}", fix=_CONVERT_IT)
    mark, marked = next(((m, c) for m, c in _MARKS if c.startswith(codec) and data.startswith(m)), (b"", ""))
    if codec in ("utf-16", "utf-32"):
        head = data[:SAMPLE]
        codec = marked or max((_wide_share(head, f"{codec}-{end}"), f"{codec}-{end}") for end in ("be", "le"))[1]
    body = data[len(mark) :]
    if len(data) > 1 << 20 and not _fits(body, codec):
        raise EncodingError(f"more than a twentieth of the bytes is not {codec}", where=name, fix=_OTHER)
    codec, pieces = _decode_whole(body, codec)
    bad = _bad(pieces)
    said = f"the encoding was given: {label}" + (f", read as {codec}" if codec != label.lower() else "")
    said += f"; {_misfits(bad)}" if bad else ""
    return mark, _Found(codec, 1.0, pieces), said
