# SPDX-License-Identifier: Apache-2.0
"""Made-up patients, one for each character set, and all that would give one away."""
import datetime
import random
import re


def single_byte(codec):
    return lambda text: text.encode(codec)


def with_escapes(escape, codec):
    """ISO 2022 code extensions: the escape stands before each run of letters that ASCII lacks."""
    def encode(text):
        parts = re.split(r"([^\x00-\x7f]+)", text)
        return b"".join(escape + part.encode(codec) if n % 2 else part.encode("ascii")
                        for n, part in enumerate(parts))
    return encode


# Specific Character Set, how to encode, family, given, ideographic and phonetic spellings (or none).
PEOPLE = [
    ("ISO_IR 100", single_byte("latin-1"), "Brändström", "Jörgen", ""),
    ("\\ISO 2022 IR 87", single_byte("iso2022_jp"), "Kawabata", "Haruhiko", "川端^春彦=かわばた^はるひこ"),
    ("ISO_IR 192", single_byte("utf-8"), "Ngọcquyền", "Thịhạnh", "阮玉權^氏幸福"),
    ("ISO_IR 144", single_byte("iso8859_5"), "Черепановский", "Велимир", ""),
    ("ISO_IR 126", single_byte("iso8859_7"), "Παπαθανασόπουλος", "Ευστράτιος", ""),
    ("GB18030", single_byte("gb18030"), "Ouyangxiu", "Zhenghua", "欧阳修远^正华明"),
    ("\\ISO 2022 IR 149", with_escapes(b"\x1b$)C", "euc_kr"), "Namgoong", "Seokhwan", "남궁^석환진=남궁^석환진"),
    ("ISO_IR 127", single_byte("iso8859_6"), "السعداوي", "عبدالرحيم", ""),
    ("ISO_IR 138", single_byte("iso8859_8"), "רוזנבלום", "אביגדור", ""),
    ("ISO_IR 148", single_byte("iso8859_9"), "Şahinoğulları", "Gülşehri", ""),
    ("ISO_IR 101", single_byte("iso8859_2"), "Wiśniowiecki", "Świętosław", ""),
    ("ISO_IR 166", single_byte("tis_620"), "วงศ์สุวรรณกุล", "ประสิทธิ์", ""),
    ("ISO_IR 110", single_byte("iso8859_4"), "Kalniņbērziņš", "Ģederts", ""),
    ("ISO_IR 109", single_byte("iso8859_3"), "Żammitħaġar", "Ġużeppi", ""),
    ("", single_byte("ascii"), "Featherstonehaugh", "Marmaduke", ""),
    ("ISO_IR 13", single_byte("shift_jis"), "ﾅｶｿﾈﾀﾞｲﾗ", "ﾖｼﾋﾄｼﾞ", ""),
    ("ISO 2022 IR 100\\ISO 2022 IR 144", with_escapes(b"\x1b-L", "iso8859_5"), "Подгорбунских", "Ярополк", ""),
    ("GBK", single_byte("gbk"), "Shangguan", "Wanqing", "上官婉清^晚晴天"),
    ("ISO_IR 203", single_byte("iso8859_15"), "Œuvrardžek", "Žofielle", ""),
    ("\\ISO 2022 IR 58", with_escapes(b"\x1b$)A", "gb2312"), "Zhugekong", "Liangming", "诸葛孔明^亮明天"),
]
PHYSICIANS = ["Quackenbush", "Thistlewood", "Ravenscroft", "Winterbottom", "Abernathyson", "Higginsworth",
              "Pemberleigh", "Clutterbuck", "Snodgrassley", "Wolstenholme", "Ramsbottomly", "Featheringill"]
STRANGERS = ["Okonkwolade", "Villanuevaz", "Szczepanikova", "Tuilagimatu", "Bjarnasonlund", "Etxeberriaga",
             "Mkhabelazi", "Papadiamandis", "Ólafsdóttirin", "Vandersloothe"]
HOSPITALS = ["Larkspurmoor", "Hollowbrookton", "Gildersleeve", "Nettlecombeham", "Brackenfordshire"]
STREETS = ["Pimpernelgasse", "Thornapplelane", "Quillfeatherweg", "Mossgatherstraat"]
SEXES = ["F", "M", "O"]


class Patient:
    def __init__(self, number, seed):
        rng = random.Random(f"{seed}/{number}")
        self.number, self.rng, self.code = number, rng, f"p{number:02d}"
        person = PEOPLE[number % len(PEOPLE)]
        self.charset, self.encode_text, self.family, self.given, self.native = person
        if number >= len(PEOPLE):
            self.family, self.given = self.family + self.family[-2:], self.given + self.given[-2:]
        self.name = f"{self.family}^{self.given}" + (f"={self.native}" if self.native else "")
        self.mrn = f"M{rng.randrange(10**7, 10**8)}"
        self.other_id = f"K{rng.randrange(10**8, 10**9)}X"
        self.sex, self.age = rng.choice(SEXES), rng.randrange(31, 89)
        first = datetime.date(rng.randrange(2011, 2019), rng.randrange(1, 13), rng.randrange(1, 29))
        gaps = [0, rng.randrange(40, 140), rng.randrange(150, 700)]
        self.study_dates = [first + datetime.timedelta(days=gap) for gap in gaps]
        self.birth = datetime.date(first.year - self.age - 1, rng.randrange(1, 13), rng.randrange(13, 29))
        self.phone = f"+49-{rng.randrange(200, 999)}-{rng.randrange(10**6, 10**7)}"
        self.street = f"{rng.choice(STREETS)} {rng.randrange(100, 999)}"
        self.email = f"post{rng.randrange(1000, 9999)}@{rng.choice(HOSPITALS).lower()}.example"
        self.physicians = [f"{name}" for name in rng.sample(PHYSICIANS, 4)]
        self.stranger = STRANGERS[number % len(STRANGERS)]
        if self.stranger.isascii() is False:
            self.stranger = STRANGERS[0]
        self.hospital = HOSPITALS[rng.randrange(len(HOSPITALS))]
        self.station, self.serial = f"ST{rng.randrange(10**5, 10**6)}", f"SN{rng.randrange(10**7, 10**8)}"
        self.ae = f"AET{rng.randrange(10**6, 10**7)}"
        self.accessions = [f"A{rng.randrange(10**7, 10**8)}" for _ in gaps]
        self.study_ids = [f"S{rng.randrange(10**6, 10**7)}" for _ in gaps]
        self.admission = f"ADM{rng.randrange(10**6, 10**7)}"
        self.order = f"ORD{rng.randrange(10**6, 10**7)}"
        self.root = f"1.2.826.0.1.3680043.9.{rng.randrange(10**6, 10**7)}.{number + 1}"
        self.uids = []

    def uid(self, *parts):
        uid = ".".join([self.root] + [str(p) for p in parts])
        if uid not in self.uids:
            self.uids.append(uid)
        return uid

    def day(self, study):
        return self.study_dates[study].strftime("%Y%m%d")

    def spoken_name(self):
        return f"{self.given} {self.family}"

    def identifiers(self):
        """[what, value]: what never may stay in a header's bytes; `what` tells which option would keep it."""
        found = [["person", self.family], ["person", self.given], ["id", self.mrn], ["id", self.other_id],
                 ["person", self.stranger], ["id", self.phone], ["id", self.street.split()[0]], ["id", self.email],
                 ["id", self.admission], ["id", self.order], ["device", self.station], ["device", self.serial],
                 ["ae", self.ae], ["institution", self.hospital], ["uid", self.root + "."]]
        found += [["id", value] for value in self.accessions + self.study_ids]
        found += [["person", value] for value in self.physicians]
        for part in re.split(r"[\^=]", self.native):
            if len(self.encode_text(part)) >= 8 or len(part.encode("utf-8")) >= 9:
                found.append(["person", part])
        b = self.birth
        found += [["birth", b.strftime(form)] for form in ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")]
        found += [["date", day.strftime(form)] for day in self.study_dates for form in ("%Y%m%d", "%d.%m.%Y")]
        return found

    def raw_spellings(self):
        """The identifiers with other letters than ASCII, as their bytes stand in the input (hex)."""
        out = []
        for what, value in self.identifiers():
            if value.isascii():
                continue
            raw = re.sub(rb"\x1b[$(\-)][)]?[A-Z]", b"", self.encode_text(value))
            if len(raw) >= 6:
                out.append([what, raw.hex()])
        return out
