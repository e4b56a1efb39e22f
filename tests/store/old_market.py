"""All that the version before stored of one market, byte by byte: what an upgrade finds.

Made once by the code of commit d40506e, the last whose records had no format number: requests, each
taken to the state that it is called after by that version's own decisions, committed by its own store to an
embedded server at fixed times from 2026-03-02 08:00 UTC on, then every key read (but streams, whose form did
not change). Their patients are sealed for market "metro" under the key of `tests.store.conftest.RING`.
"""

from __future__ import annotations

import base64
import zlib

from redis.asyncio import Redis

from dispatcher.store.keys import Keys

MARKET = "metro"
NOW_MS = 1_772_438_400_000  # 2026-03-02 08:00 UTC: when all of them came in
START_MS = NOW_MS + 4 * 3_600_000  # of each ride
END_MS = START_MS + 30 * 60_000
DOCUMENTS = {
    "b:cancelled": (
        "AABIAWtDcSRSSoDY2Ah33qTTB4LqRe+nhh497eASf+bh0aYwmBdQFdX+EYz9FgpUlNKUteK1G/HeaoL769r/zKXVB6C+A3GaTgAA"
        "A2Rldo6D7I0sxPFRkBUXeSyzfSIa+VzEEh0zhgv/Ahh4xHfaUhVA14sgP1ceQ2vFowt8daVYuIr9sRs+Z1ZYwzzfcCqG5ENpm2JJ"
        "upAB3dfo4w=="
    ),
    "b:completed": (
        "AABHAWtDcSQimqHObYQ7b9LpA0H1ovdTQ4+ednCJP/PwaFMYzAuoimr/CMZ+CwUqSmnKWvHajXhvNcH9de1/5tLqA1DfgThNJwAD"
        "ZGV26yCUxpsFyKGKbufIJLbIRfY/qOK+y9JPTnFgGSp0/85jzlOS/vwx2pskO5dNlf3LP9qRfbiY8JSEaRAbDfMi4n/qN9VRUaPE"
        "mWHOAu+H"
    ),
    "b:failed": (
        "AABHAWtDdSQk/qFubYS7bdLpA0H1ovdTQ4+ednCJP/PwaFMYzP2oimr/CMZ+CwUqSmnKWvHajXg/NcE9de1/5tLqA1CvgThNJwAD"
        "ZGV2Zl8Y3KLyp9Gv7YLn5E+qL+OjMgMPKbB461IQlYzObaeQZ+3WFIN/fvQa1Dh1G+7ioO977g0mHtboxfKoMw31LQbwIkj+Qajs"
        "s7vILM5a"
    ),
    "b:held_twice": (
        "AABSAWtHceSqjNQcYA4pB0UMZs6EeqER7uRJpw8E1YveTw09etrBJf7Mw6NNYTBvoSqq/SMY+y0UqCilKWvFazfivdoE9+u1/5lL"
        "qw9AfQziNJ0AAANkZXb88uKU+k6/JIeWEveThb5qfO+W+67Oib3kw5Hx9yVQYAY/NMdrCAIO411ZiTtOEY7WxPnwvtGFaWnsnI28"
        "lh+9lgLA/CXamNH72ptb/uc="
    ),
    "b:in_progress": (
        "AABIAWtDcSRyBEId3Ah34KTTB4LqRe+nhh497eASf+bh0aYwmCdQFdX+EYz9FgpUlNKUteK1G/Eea4L77Nr/zKXVB6D+A3GaTgAA"
        "A2Rldh1zfOQVK+euuzwD2EdIFB6AVxAY+TkN64fyXFl5xaAH39fkGRQSpZklmMWFfYLErWdA+uiEDFg1f1ulQiBdJ+8dLJ4yjyNC"
        "yC9BrbWDIg=="
    ),
    "b:matching": (
        "AABHAWtDcSQ8NKGubYS7btLpA0H1ovdTQ4+ednCJP/PwaFMYzAeoimr/CMZ+CwUqSmnKWvHajXhfNcG9de1/5tLqA1DPgThNJwAD"
        "ZGV20y3QkbS6aRYfMgCm4Ju31w0YcuvXcED5VOC/E02kYf2M7E4TBC2qNOupayu0z4MfAyQVnGZltzzkKR5IRHXM6tGw7qq7e1Yr"
        "5hvrVm0C"
    ),
    "b:no_show": (
        "AABHAWtDcSQsuqGObYQ7btLpA0H1ovdTQ4+ednCJP/PwaFMYzAOoimr/CMZ+CwUqSmnKWvHajXhPNcF9de1/5tLqA1C/gThNJwAD"
        "ZGV2JV13Nu85wAb6UE0rINNb0JT3jRtW28RDgzal+cMXlRWZTSsmvl/pL+8IdnhBtpXq+Zqn08qlmU4iVhL7eXtMCMwYDtGjB1fK"
        "MfbZzW/7"
    ),
    "b:offered": (
        "AABHAWtDcSQsyKCObYQ7btLpA0H1ovdTQ4+ednCJP/PwaFMYzAOoimr/CMZ+CwUqSmnKWvHajXhPNcF9de1/5tLqA1C/gThNJwAD"
        "ZGV2cJ5GUXBlsKxdEvekQFaKK2IPxfxt4s9UVvhQavdK4bFaZfZe9LIdgknSTJj/Ske5CNU6s8BtjzZFkiuPv7hfwvDz0snl1W5C"
        "0sKbRmyW"
    ),
    "b:on_hold": (
        "AABQAWtHceRyYOSCciQ4WyJnRKjrG+GunXT6QFC96P3U0KOnHVzizzw82hQG8xGqoto/grHfQoGKUpqyVrx2I96XTXBvXvufubT6"
        "ANSzIE7TCQADZGV2Hl7cv8cg5qGTYhRneVEKtXhBufiLgrq9euQAzlJ1oejrp9POmJjj3mZqlCRwgZ3ZAgkzEHp/KSwycMtdL6WP"
        "aWUL4pfOqjhLAHp+C9Re"
    ),
    "b:overdue": (
        "AABHAWtDcSQsVKGObYQ7btLpA0H1ovdTQ4+ednCJP/PwaFMYzAOoimr/CMZ+CwUqSmnKWvHajXhPNcF9de1/5tLqA1C/gThNJwAD"
        "ZGV2UzOQvpLUfu/AYOxj6/P400YnZGyr9HYhtsaGK3diOwergh5a0bd1xkfMPoQEKR3dJbTO9MNjawU3pBzCH3FwIwr5W2qL5oU5"
        "nbMO+FGf"
    ),
    "b:received": (
        "AABHAWtDcSQ87KCubYS7btLpA0H1ovdTQ4+ednCJP/PwaFMYzAeoimr/CMZ+CwUqSmnKWvHajXhfNcG9de1/5tLqA1DPgThNJwAD"
        "ZGV2wNGRuLXcEbYgzspfY1uTci4vdqSNN0HNTtPL+eRtfWKuzhGp3HnUv7ZwtFSms4iuqamsPhmEg+isOCnoKej348IJTCiyMXHo"
        "XnyebWWF"
    ),
    "b:returned": (
        "AABKAWtDcSQw7CAJBeraRrjrJp0+EFQvej819OhpB5f4Mw+PNoXBfICqqPaPYOy3UKCilKasFa/diPdVE9xb1/5nLq0+APUciNN0"
        "AgADZGV29EEBtuRH1BUdIkFunlUY9f0yADKglNcCPgJlLnj3wQ4mqIPCm26QlDtNoECElPCtf02KEB1ntSN4AJ0PoLXuq/9tudSe"
        "suSrh57IYwth"
    ),
    "b:unmatched": (
        "AABHAWtDcSQi4qHObYQ7b9LpA0H1ovdTQ4+ednCJP/PwaFMYzAuoimr/CMZ+CwUqSmnKWvHajXhvNcH9de1/5tLqA1DfgThNJwAD"
        "ZGV2n8mYzU5xytr9cSC5goouMc3w7lyKJ9JWPYuX3v9C9s+3PMXa3QNixwBl9xNOKoa7XXJWMv+CSTZ/SLHDIxxi2bO6SzGqqC0H"
        "BYvWoEiQ"
    ),
    "c:v1:2026-03-02": "AAAAAQAAAZytWL2AAWuCphVQhoeQE5uBrl1SlggsDUAOSS2eiOQQSCE2UQQA",
    "c:v2:2026-03-02": "AAAAAQAAAZytWL2AAWuCphVQhoeQE5uBrl1SlggsDUAOSS2eiOQQSCE2UQQA",
    "k:5TuBu1j7_ilaoH3oiQS88g": "Brchw4CyFgxQkD6fbGNrKDIwMiByZWNlaXZlZA==",
    "r:cancelled": (
        "AAAABAGbh4h8FgQT7OjzDAyMc9b2r2EAM9a13XWAMLLT0ET2skw5MPEOgzDjojLDJWWJecXwlAU1Yv0LCGPpihZMI84KTjk0gXlx"
        "YlLyhAkQZRO5J2AvjxecFTgzZQo8guEOhMf9gimwSIfbDIv9BVPgSQVuCzSxWZUZYrdvCiJEoHoaDsDtWgtNPQrA8K4sPnCAAQA="
    ),
    "r:completed": (
        "AAAABQGbh4hZVgQT7OjzDAyMc9b2r2EAM9a13XWAMLLT0ET2/vzoMPEOgzDjojLDJWWJecUIg6BmrH8BYSxd0YJpxlnBKYcmTofp"
        "XWUETN26Bsa6BkZnJrAxMjIvTkxKnjABorqVowHJkSG65uZnBc5MnQKPcriT4alhwRRYMoA7BZYeFkyBpwiI3IRpCdDkZ1VmuGAK"
        "cmqGuxqhAJH+p6D5F+xMhDq4JIJ1gAEA"
    ),
    "r:failed": (
        "AAAABAGbB41yFigNdu55BgbGOWv71zCAGeva7jpAGNlpaCJ7f350mHiHQZhxUZnhkrJEYAECMQVqwPoXEMbSFS2YBpwVnHJo4nSY"
        "xlVGwESta2Csa2B0ZgIbIyPz4sSk5AkTIKprtzbAnBeia25+VuDMlCnwaIY7Fp4CFkyBRT3cHbA0sGAKPBVA5CZMS4AmOasywwVT"
        "kN0PshYhB5WBUgcYAA=="
    ),
    "r:held_twice": (
        "AAAAAgGbtyojNQeYKcqBFjItB8YtKEOC3XyegYFxztr+NQxgxrq2uw4QRnYaugiQMWHyFHi4wzXCo2TBFJjJmHKomR9d4f4OuELk"
        "cuHAAQYA"
    ),
    "r:in_progress": (
        "AAAABwGbhxxn7MgcsMPPMzAwzlnbv4YBzFjXdtcBwshOQxdZXeMw8Q6DMOOiMsMlZYl5xfDQhhqx/gWEsXRFC6YRZwWnHJo4HaZ1"
        "lREwgesaGOsaGJ2ZwMbIyLw4MSl5wgSGBUtCdM3NzwqcmTYFHslwB8Ljf8EUWMTDbYalgAVT0Fw1YVoCNMFZlRkumILsfYjbkuwc"
        "EArg6RyLwvyfDxAKEVkDi8rixUh2wnMTnHGAEQA="
    ),
    "r:matching": (
        "AAAAAgGbBw9AJjgL7OTzDAyMc9b2r2EAM9a13XWAMLLT0EWAjAmTpsCDHa4RHiMLpsCNhkpuvgCLFEhxdKAZVr4xIwoYiBRKKXjt"
        "f+ZS5yYGAA=="
    ),
    "r:no_show": (
        "AAAABAGbB4thFhgD7ODzDAyMc9b2r2EAM9a13XWAMLLT0ET2/vzoMPEOgzDjojLDJWWJecWIlAI1Y/0LCGPpihZMM84KTjk0cTpM"
        "7yojYMrWNTDWNTA6M4GNkZF5cWJS8oQJENW1WxvgTgzRNTc/K3BmyhR4ZMMdDE8HC6bAEgDcIbCUsGAKPC1A5CZMS4AmPKsyQ6BG"
        "qD1wixGSMCkYfYABAA=="
    ),
    "r:offered": (
        "AAAAAgGbBwslJhgD7ODzDAyMc9b2r2EAM9a13XWAMLLT0ETWLl3RMvEOgzDjojLDJWWJeUhRBDVj/Qu4QkwzzgpOOTRxOkzvKiNg"
        "ytY1MNY1MDozgY2RkXlxYlLyhAkMCxacFTgzaQo8ZuGug0f6gikw58NthUX7ggMHGAA="
    ),
    "r:on_hold": ("AAAAAQGbtxwYn6BMyAhjgB18noGBcc7a/jUMYMa6trsOEEZ2GroIkDFh0hR4oMM1wuNjwRSYyZhyyHn9wAEGAA=="),
    "r:overdue": (
        "AAAABQGbBwtIVnjwgF18noGBcc7a/jUMYMa6trsOEEZ2GrrIopCGiXcYhBkXlRkuKUvMK4abAzVi/QsIY+mKFkwjzgpOOTRxOkzr"
        "KiNgytY1MNY1MDozgY2RkXlxYlLyhAkMC5aE6JqbnxU4M3kKPHbhDoRH/IIpsBiH2wyL+gVT0Fw1YVoCNKVZlRkuOHCACQA="
    ),
    "r:received": "AAAAAQGbBw8uRjgL7OTzDAyMc9b2r2EAM9a13XWAMLLT0EWAjAkTp8B1wzXCY2TBgQMMAA==",
    "r:returned": (
        "AAAABQGbBwwuSNpghYUX2MXnGRgY56ztX8MAZqxru+sAYWSnoYtwdLJMusMgzLiozHBJWWJeMXJSg5qy/gWEsXRFC6YpZwWnHJrA"
        "vDgxKXnCBIiyv50MyIYsCdE1Nz8rcAZoCdOiMiOwJYiEANXS8wLuGuxWTJwO07vKCJh/dA2MdQ2MzkxgY2SE2s2wYAHQkqlT4OkH"
        "HgTwpLVgCiyM4B6DJa4FU+DJCyI3YVoCNC1blRkCZWHpFO5FhCyyZ9FsAPoLbsOBAwwA"
    ),
    "r:unmatched": (
        "AAAAAgGbh4hrJgQT7OjzDAyMc9b2r2EAM9a13XWAMLLT0ET2/vzoMGHSFHjAwzXC42TBFITZcL2QFAIvCg40w8o4BkQhA5dFKQyv"
        "/c9c2nSCAQA="
    ),
    "tuning": (
        "AAAAAQFrBQZGESjvMy4rS8wBhm37ZkhaBmpITIGlwKgNSeAMCwkwYAYsPu0gwAAGW9BlMoBl0Gn7kzNBYNYaaCEBjr0zv9ZBuaV5"
        "2Xn55Xmn7d+cAYGzm6DiQDuBUV0ODOVirvXg6AO5IDO3NDe+2GZRUuXi/IJiYDpKLAZlHGD6yUtflFhyAAA="
    ),
    "v:v1": (
        "AAAAAQAAAZytWL2AAbvHwAp03KIyQ3AgrAwDh4xCmeFGsPpiJOdMRHIPSnkzsRns0WXJmUXJOanLQBFVlDrp9IGgetH7qaFHTzu4"
        "xJ95eLQpbEVRYkomMKfmnvVTWJaYV1yeWtS0JDc/JXUFqKDLBJY0a8AFTU5mbmZJfPFZpggA"
    ),
    "v:v2": (
        "AAAAAQAAAZytWL2AAbvHwAp03KIyI3AgrAwDh4xCmdFGsPpiJOdMRHIPSnkzsRns0WXJmUXJOanLQBFVlDrp9IGgetH7qaFHTzu4"
        "xJ95eLQpbEVRYkomMKfmnvVTWJaYV1yeWtS0JDc/JXUFqKDLBJY0a8AFTU5mbmZJfPFZpggA"
    ),
}
LEDGERS = {  # deflated: they are zeros for the most part
    "limit:v1:vans:2026-03-02": "eNpTF2AQGYWjkPoQAPx1F6g=",
    "limit:v2:vans:2026-03-02": "eNpTF2AQGYWjkPoQAPx1F6g=",
    "used:v1:vans:2026-03-02": "eNpjYGMYBfgBGwICAAkUACs=",
    "used:v2:vans:2026-03-02": "eNpjYGQYBfgBIwICAAJ/AAg=",
}
LISTS = {
    "capacities": {"v1:2026-03-02": 739677, "v2:2026-03-02": 739677},
    "i:accepted": {"overdue": 1772438400000},
    "i:cancelled": {"cancelled": 1772438400000},
    "i:completed": {"completed": 1772438400000},
    "i:failed": {"failed": 1772438400000},
    "i:in_progress": {"in_progress": 1772438400000},
    "i:matching": {"matching": 1772438400000},
    "i:no_show": {"no_show": 1772438400000},
    "i:offered": {"offered": 1772438400000, "returned": 1772438400000},
    "i:on_hold": {"held_twice": 1772438400000, "on_hold": 1772438400000},
    "i:received": {"received": 1772438400000},
    "i:unmatched": {"unmatched": 1772438400000},
    "o:v1": {"in_progress.1": 1772452800000, "offered.1": 1772452800000, "overdue.1": 1772452800000},
    "o:v2": {"returned.2": 1772452800000},
    "timers": {
        "offered": 1772439840900,
        "returned": 1772446320900,
        "held_twice": 1772454600000,
        "matching": 1772454600000,
        "on_hold": 1772454600000,
        "received": 1772454600000,
        "overdue": 1772456400000,
        "in_progress": 1772457000000,
        "cancelled": 1772697720000,
        "completed": 1772713800000,
        "failed": 1772713800000,
        "no_show": 1772713800000,
        "unmatched": 1772713800000,
    },
}
MARKS = {"marks:2026-03": {"v1:badly": "3", "v1:well": "2"}}
SETS = {"vendors": ["v1", "v2"]}


def stored(key: str) -> bytes:
    """What stood under a key of the market."""
    return base64.b64decode(DOCUMENTS[key])


async def restore(raw: Redis, keys: Keys) -> None:
    """Put all of it into a market that is empty."""
    for key in DOCUMENTS:
        await raw.set(keys.prefix + key, stored(key))
    for key, cells in LEDGERS.items():
        await raw.set(keys.prefix + key, zlib.decompress(base64.b64decode(cells)))
    for key, scores in LISTS.items():
        await raw.zadd(keys.prefix + key, scores)
    for key, counts in MARKS.items():
        await raw.hset(keys.prefix + key, mapping=counts)
    for key, members in SETS.items():
        await raw.sadd(keys.prefix + key, *members)
