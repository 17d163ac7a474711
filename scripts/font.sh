#!/usr/bin/env bash
# Makes server/assets/fonts/report.otf: the characters that reports are set in, from Debian's fonts-noto-cjk. Only
# needed to change the set of characters; what it makes is checked in. Needs fontTools
# (python3-fonttools).
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"

SOURCE=${1:-/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc}
# Noto Sans CJK SC in the collection.
FACE=2
OUT=server/assets/fonts/report.otf

PYTHON=/usr/bin/python3
"$PYTHON" -c "import fontTools.subset" 2>/dev/null || fail "please install python3-fonttools"
[ -f "$SOURCE" ] || fail "please install fonts-noto-cjk"

characters=$(mktemp)
trap 'rm -f "$characters"' EXIT
# ASCII, Latin-1, everything of GB 2312, punctuation that Chinese and English texts use, and characters of people's
# and places' names that GB 2312 lacks.
"$PYTHON" - >"$characters" <<'EOF'
import sys
wanted = set(range(0x20, 0x7F)) | set(range(0xA0, 0x100)) | set(range(0x2010, 0x2028)) | set(range(0xFF01, 0xFF5F))
wanted |= {ord(c) for c in "←↑→↓≤≥≠±×÷‰℃Ω€™●○■□▲△▼▽★☆√∞"}
names = ("喆玥珺昇堃垚焱镕玙瑀璟珅瑄瑢旻昉昳暐曈滉淏湉溦潆瀞炅炘烜焜煐燊燚犇猇玎玘玢珮琎琤琲瑱璁璈璠璿甦祎禛秾竑翀翯翾芃苡蒽"
         "赟鋆錡钘锜锳镠闫闳陞霈韫頔顼颀飏骢鹍龑䶮邨叡咘哿啟喦囍奡妘妤姈姤娪婳嫄嫕孖孞宓屾岀岽崟嵘巠帡幵庲弢弨彣彧徫忞忻"
         "怡恺悊惪懋扞抃挺掞揆攽敉斅斌於旂昕昶晔晗晳暕暠暻朸杧枟柟栻桄桢梓棽楗榘樾橦欐歆毓沄沇沚泃泂泠洢浐浠涢淦淯渌渟湜溁"
         "滘滪漈潾澂澥濛濬濠灏炀炆炑烔烝煜熠燏爔牮犍玕玚玠玡玥珣珦珵珽琁琇琭琯琮瑆瑍瑗瑭瑾璎璐璘瓅畤畯皞眃睍矻砺硚碶祜禤穈"
         "窅笮筜箓篪簕粼絜綖缃缦罡羑羿翃翙耑胤臻舢艽芗芾苘茝荭莜莙菂菀萩葳葶蓁蔚蕈蕙薇藿蘧虓蚬蝾裎褆覃觐訚誉诜谞谌豳赉赪跹"
         "轸辂邗邘郅郜郯鄄鄘酂釪鈊鉴銮铄铉铎铧锃锘锟镛镝闿阇阼陔隗雯靖鞔韦颉颋飖馀馗驩骎骉髙鱲鳐鸰鹄鹭麓黉黻齮")
wanted |= {ord(c) for c in names}
for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        try:
            wanted.add(ord(bytes([high, low]).decode("gb2312")))
        except UnicodeDecodeError:
            pass
sys.stdout.write("".join(chr(c) for c in sorted(wanted)))
EOF
"$PYTHON" -m fontTools.subset "$SOURCE" --font-number=$FACE --text-file="$characters" --output-file="$OUT" \
    --layout-features= --no-hinting --desubroutinize --name-IDs='0,1,2,3,4,5,6,13,14' --drop-tables+=vhea,vmtx,VORG,BASE,GSUB,GPOS
say "$OUT: $(stat -c %s "$OUT") bytes"
