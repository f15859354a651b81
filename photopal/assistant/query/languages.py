"""Turns German, French, Spanish, Italian, Chinese and Japanese questions into English; knows no photo.

A question is translated phrase by phrase by the tables below, as far as counts, dates, places, names and
lists go. Words that no table has stay as they are: they are looked for in captions, and named in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from photopal.text import name_spans, write_over
from photopal.vocabulary import MONTHS, SEASONS

_MONTHS_ENGLISH = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def _months(words: str) -> str:
    names = words.split()
    return "; ".join(f"{name} = {month}" for name, month in zip(names, _MONTHS_ENGLISH, strict=True))


_TABLES: Mapping[str, str] = {
    "de": """
        wie viele (?:fotos?|bilder|aufnahmen) = how many photos; wie viele = how many; wie oft = how often;
        wann = when; wo = where; wer = who; wen = who; mit wem = with whom;
        welche (?:fotos?|bilder) = which photos; in welche[nmrs]? = in which; tag = day; zeigen = show;
        benutzt = used; verwendet = used; wochenende = the weekend; letzte[nms] wochenende = last weekend;
        letztem jahr = last year; zwei = two; drei = three; vier = four; fünf = five; sechs = six;
        sieben = seven; acht = eight; neun = nine; zehn = ten; meisten = most;
        auf welchen (?:fotos|bildern) = in which photos; welche[nmrs]? = which; was = what;
        zeige?(?: mir)?(?: bitte)? = show me; zeig = show me; finde = find; suche(?: nach)? = find;
        gibt es = are there; habe ich = do i have; haben wir = do i have; hab ich = do i have; hat = has;
        sind = are; ist = is; war = was; waren = were; wurden? = were; gemacht = taken; aufgenommen = taken;
        fotografiert = photographed; entstanden = taken; zu sehen = shown; gesehen = seen; sehen = see;
        zuletzt = last; das letzte mal = last; zum letzten mal = last; zum ersten mal = first;
        das erste mal = first; zuerst = first; als erstes = first; letzten? = last; letztes = last;
        letzte = last; erste[ns]? = first; neueste[nrs]? = newest; älteste[nrs]? = oldest;
        aus dem jahre? = from; im jahre? = in; vom jahr = from; fotos? = photos; bilder[n]? = photos;
        bild = photo; aufnahmen? = photos; von = of; mit = with; ohne = without; und = and; oder = or;
        nicht = not; kein[e]?[nmrs]? = no; niemand(?:em|en)? = nobody; im = in; in = in; aus = from;
        am = on; an = at; auf = on; bei = at; seit = since; vor = before; nach = after; bis = until;
        zwischen = between; während = during; vom = from; zum = to; zur = to; beim = at; der = the;
        die = the; das = the; den = the; dem = the; des = of the; ein(?:e[nmrs]?)? = a; ich = i; wir = we;
        mir = me; mich = me; uns = us; meine[nmrs]? = my; unsere[nmrs]? = our; alle[nr]? = all; da = there;
        es = there; sich =; denn =; bitte = please; insgesamt = in total; heute = today;
        gestern = yesterday; vorgestern = day before yesterday; letztes jahr = last year;
        letzten jahr = last year; letzten sommer = last summer; letzten winter = last winter;
        letzten herbst = last autumn; letzten frühling = last spring; letzten monat = last month;
        letzte woche = last week; dieses jahr = this year; diesem jahr = this year; jahr = year;
        jahren? = years; tagen? = days; frühling = spring; frühjahr = spring; sommer = summer;
        herbst = autumn; winter = winter; zu weihnachten = at Christmas; an weihnachten = at Christmas;
        weihnachten = Christmas; heiligabend = Christmas Eve; zu ostern = at Easter; an ostern = at Easter;
        ostern = Easter; silvester = New Year's Eve; neujahr = New Year's Day; menschen = people;
        personen = people; leute = people; haustieren? = pets; tieren? = pets; orten? = places;
        städten? = cities; städte = cities; ländern? = countries; länder = countries; kameras? = cameras;
        kamera = camera; aufgenommen worden = taken; habe = have; haben = have; gab = were;
        besucht = visited; gewesen = been; entstand = taken; stammen = are; mehr = more; weniger = fewer;
        weder = neither; als = than; am häufigsten = most often; am meisten = most; häufiger = more often;
        öfter = more often; drauf =; darauf =; welchem jahr = which year; welchen jahren = which years;
        noch = else; zusammen = together; allein(?:e)? = alone; deutschland = Germany; frankreich = France;
        morgens = in the morning; am morgen = in the morning; vormittags? = in the morning;
        am vormittag = in the morning; mittags = at noon; nachmittags = in the afternoon;
        am nachmittag = in the afternoon; abends = in the evening; am abend = in the evening;
        nachts = at night; in der nacht = at night; italien = Italy; spanien = Spain;
        schweiz = Switzerland; österreich = Austria;
        griechenland = Greece; lissabon = Lisbon; rom = Rome; venedig = Venice; wien = Vienna; japan = Japan
    """
    ";" + _months("januar februar märz april mai juni juli august september oktober november dezember"),
    "fr": """
        combien de (?:photos?|images?|clichés) = how many photos; combien de fois = how often;
        combien = how many; quand = when; à quelle date = when; quel jour = what day; où = where;
        d'où = where; qui = who; avec qui = with whom; quelles? photos = which photos;
        sur quelles photos = in which photos; dans quelles? = in which; dans quels? = in which;
        quelles? = which; quels? = which; montre[z]?(?:[- ]moi)? = show me;
        affiche[z]?(?:[- ]moi)? = show me; trouve[z]?(?:[- ]moi)? = find; cherche[z]? = find;
        fais[- ]moi voir = show me; y a[- ]t[- ]il = are there; il y a = are there;
        qui ne sont pas = that are not; qui n'étaient pas = that were not; qui n'ont pas été = that were not;
        qui ne montrent pas = without; qui sont = that are; qui ont été = that were; qui montrent = showing;
        est[- ]ce qu[e'] ?il y a = are there; est[- ]ce qu[e']? =; ai[- ]je = do i have;
        avons[- ]nous = do i have; j'ai = i have; as[- ]tu = do you have; est = is; était = was;
        étaient = were; sont = are; a[- ]t[- ]on =; ont été = were; a été = was; prises? = taken;
        pris = taken; photographiée? = photographed; vue? = seen; vus = seen; pour la dernière fois = last;
        la dernière fois = last; pour la première fois = first; la première fois = first; dernières? = last;
        derniers? = last; premières? = first; premiers? = first; plus récentes? = newest;
        plus anciennes? = oldest; photos = photos; photo = photo; images? = photos; clichés? = photos;
        en l'an = in; de l'année = from; dans l'année = in; au cours de = during; de la = of the;
        de l' = of the; des = of; du = of the; de = of; d' = of; avec = with; sans = without; et = and;
        ou = or; en = in; dans = in; à = in; au = in; aux = in; sur = on; chez = at; depuis = since;
        avant = before; après = after; jusqu'à = until; jusqu'en = until; entre = between; pendant = during;
        le = the; la = the; les = the; l' = the; une? = a; je = i; nous = we; on = we; moi = me; mes = my;
        mon = my; ma = my; nos = our; notre = our; toutes les = all the; tous les = all the; toutes = all;
        tous = all; pas de = no; ne =; n' =; pas = not; aucune? = no; personne = nobody; ni = nor;
        une personne = a person; la personne = the person; cette personne = this person;
        chaque personne = each person; quelle personne = which person; autre personne = other person;
        seule personne = only person; même personne = same person; sans personne = without people;
        aujourd'hui = today; hier = yesterday; avant-hier = day before yesterday;
        l'année dernière = last year; l'an dernier = last year; l'été dernier = last summer;
        l'hiver dernier = last winter; le mois dernier = last month; la semaine dernière = last week;
        cette année = this year; année = year; années = years; jours? = days; printemps = spring;
        été = summer; automne = autumn; hiver = winter; à noël = at Christmas; noël = Christmas;
        à pâques = at Easter; pâques = Easter; la saint-sylvestre = New Year's Eve;
        réveillon = New Year's Eve; nouvel an = New Year's Day; gens = people; personnes = people;
        animaux = pets; animaux de compagnie = pets; lieux = places; endroits = places; villes = cities;
        pays = countries; appareils? photo = cameras; appareil = camera; ils =; elles =; il =; elle =;
        sont[- ]ils = are; étaient[- ]ils = were; étaient[- ]elles = were; était[- ](?:il|elle) = was;
        est[- ](?:il|elle) = is; sommes[- ]nous = were we; allés? = gone; ai = have; avons = have;
        as = have; ont = have; plus de photos = more photos; plus de = more; plus souvent = more often;
        plus = more; moins de = fewer; moins = fewer; que = than; qu' = than; le plus souvent = most often;
        le plus = most; ensemble = together; seule? = alone; s'il te plaît = please;
        s'il vous plaît = please; au total = in total; allemagne = Germany; italie = Italy; espagne = Spain;
        le matin = in the morning; l'après-midi = in the afternoon; à midi = at noon;
        le soir = in the evening; la nuit = at night; de nuit = at night; suisse = Switzerland;
        portugal = Portugal; japon = Japan; lisbonne = Lisbon; londres = London;
        londre = London
    """
    ";" + _months("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "es": """
        sean = are; est[ée]n = are; cuántas (?:fotos?|fotografías|imágenes) = how many photos;
        cuantas (?:fotos?|imagenes) = how many photos; cuántas veces = how often; cuantas veces = how often;
        cu[áa]nt[oa]s? = how many; cu[áa]ndo = when; qué día = what day; d[óo]nde = where;
        ad[óo]nde = where; con qui[ée]n(?:es)? = with whom; qui[ée]n(?:es)? = who;
        qu[ée] fotos = which photos; en qu[ée] fotos = in which photos; en qu[ée] = in which;
        qu[ée] = which; cu[áa]les = which; mu[ée]str[ae]me = show me; ens[ée]ñ[ae]me = show me;
        muestra = show; mostrar = show; encuentra = find; busca = find; hay = are there; tengo = do i have;
        tenemos = do i have; he = have i; hemos = have we; est[áa] = is; est[áa]n = are; estaba = was;
        es = is; son = are; fue(?:ron)? = were; estuvo = was; estuvimos = were we; estuve = was i;
        sale = appears; salen = appear; aparecen? = appears; tomad[ao]s? = taken; hech[ao]s? = taken;
        sacad[ao]s? = taken; se tomaron = were taken; se tomó = was taken; vist[ao]s? = seen;
        vimos = did we see; vi = did i see; fuimos = did we go; por última vez = last; la última vez = last;
        por primera vez = first; la primera vez = first; últim[ao]s? = last; ultim[ao]s? = last;
        primer[ao]?s? = first; más recientes? = newest; más antiguas? = oldest; fotos = photos;
        foto = photo; fotograf[íi]as? = photos; im[áa]genes = photos; imagen = photo; del año = from;
        en el año = in; de la = of the; del = of the; de = of; con = with; sin = without; y = and; e = and;
        o = or; u = or; en = in; desde = since; antes de = before; después de = after; hasta = until;
        entre = between; durante = during; el = the; la = the; los = the; las = the; un[ao]? = a; yo = i;
        nosotros = we; mis? = my; nuestr[ao]s? = our; tod[ao]s l[ao]s = all the; tod[ao]s = all; no = not;
        ning[uú]n[ao]? = no; nadie = nobody; ni = nor; hoy = today; ayer = yesterday;
        anteayer = day before yesterday; el año pasado = last year; el verano pasado = last summer;
        el invierno pasado = last winter; el mes pasado = last month; la semana pasada = last week;
        este año = this year; año = year; años = years; días = days; día = day; primavera = spring;
        verano = summer; otoño = autumn; invierno = winter; en navidad(?:es)? = at Christmas;
        navidad(?:es)? = Christmas; nochebuena = Christmas Eve; semana santa = Easter; pascua = Easter;
        nochevieja = New Year's Eve; año nuevo = New Year's Day; personas = people; gente = people;
        mascotas = pets; animales = pets; lugares = places; sitios = places; ciudades = cities;
        países = countries; cámaras = cameras; cámara = camera; más fotos = more photos; más = more;
        menos = fewer; que = than; más a menudo = more often; junt[ao]s = together; sol[ao] = alone;
        por la mañana = in the morning; por la tarde = in the afternoon; a mediodía = at noon;
        por la noche = at night; de noche = at night; por favor = please; en total = in total;
        alemania = Germany; francia = France; italia = Italy;
        españa = Spain; suiza = Switzerland; japón = Japan; lisboa = Lisbon; berlín = Berlin; parís = Paris;
        a = to; al = to the; me =; se =; mí = me
    """
    ";" + _months("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    "it": """
        quante (?:foto|fotografie|immagini) = how many photos; quante volte = how often;
        quant[ei] = how many; quando = when; in che giorno = what day; dov'è = where is;
        dov'era = where was; dove = where; con chi = with whom; chi = who; chi c'è = who is;
        quali foto = which photos; in quali foto = in which photos; in quali = in which;
        in quale = in which; quali = which; quale = which; che = which; mostrami = show me;
        fammi vedere = show me; mostra = show; trova(?:mi)? = find; cerca = find; ci sono = are there;
        c'è = is there; ho = do i have; abbiamo = do i have; è = is; era = was; erano = were; sono = are;
        stata? = been; state = been; stati = been; siamo = were we; eravamo = were we; andati = gone;
        è stat[ao] = was; sono stat[ie] = were; scattat[aei] = taken; fotografat[aoei] = photographed;
        stato = been;
        fatt[aei] = taken; vist[aoei] = seen; appare = appears; compare = appears;
        per l'ultima volta = last; l'ultima volta = last; per la prima volta = first;
        la prima volta = first; ultim[aoei] = last; l'ultima = the last; prim[aoei] = first;
        più recent[ei] = newest; più vecchi[ae]? = oldest; foto = photos; fotografi[ae] = photos;
        immagini = photos; immagine = photo; del(?:l'anno)? = of; nell'anno = in; nel = in; nell' = in;
        nella = in the; nei = in; nelle = in; della = of the; dello = of the; dell' = of the; dei = of;
        delle = of; degli = of; dal = since; di = of; d' = of; con = with; senza = without; e = and;
        ed = and; o = or; oppure = or; in = in; a = in; ad = in; al = at; da = from; dopo = after;
        prima di = before; prima del = before; fino a = until; fino al = until; tra = between;
        fra = between; durante = during; il = the; lo = the; la = the; l' = the; i = the; gli = the;
        le = the; un[ao]? = a; io = i; noi = we; mi[aeo]i? = my; miei = my; nostr[aeio] = our;
        tutte le = all the; tutti i = all the; tutte = all; tutti = all; non = not; nessuna? = no;
        nessuno = nobody; né = nor; oggi = today; ieri = yesterday; l'altro ieri = day before yesterday;
        l'anno scorso = last year; l'estate scorsa = last summer; l'inverno scorso = last winter;
        il mese scorso = last month; la settimana scorsa = last week; quest'anno = this year; anno = year;
        anni = years; giorni = days; primavera = spring; estate = summer; autunno = autumn;
        inverno = winter; a natale = at Christmas; natale = Christmas; vigilia di natale = Christmas Eve;
        a pasqua = at Easter; pasqua = Easter; capodanno = New Year's Day; san silvestro = New Year's Eve;
        persone = people; gente = people; animali = pets; animali domestici = pets; luoghi = places;
        posti = places; città = cities; paesi = countries; fotocamere = cameras; fotocamera = camera;
        macchina fotografica = camera; più foto = more photos; più = more; meno = fewer;
        più spesso = more often; insieme = together; sol[ao] = alone; per favore = please;
        (?:la|di) mattina = in the morning; (?:il|di) pomeriggio = in the afternoon;
        (?:la|di) sera = in the evening; (?:la|di) notte = at night; in totale = in total;
        germania = Germany; francia = France; italia = Italy; spagna = Spain;
        svizzera = Switzerland; giappone = Japan; portogallo = Portugal; lisbona = Lisbon; berlino = Berlin;
        parigi = Paris; mi = me; ci =; si =; ha = has; hanno = have
    """
    ";"
    + _months(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
    ),
    "zh": """
        有多少张(?:照片|相片|图片)? = how many photos; 有几张(?:照片|相片|图片)? = how many photos;
        多少张(?:照片|相片|图片)? = how many photos; 几张(?:照片|相片|图片)? = how many photos;
        有多少(?:照片|相片) = how many photos; 多少(?:照片|相片) = how many photos; 多少次 = how often;
        几次 = how often; 什么时候 = when; 何时 = when; 哪天 = when; 哪一天 = when; 哪年 = which year;
        哪一年 = which year; 在哪里 = where; 在哪儿 = where; 在哪 = where; 哪里 = where; 哪儿 = where;
        什么地方 = where; 和谁 = with whom; 跟谁 = with whom; 还有谁 = who else; 有谁 = who is;
        是谁 = who is; 谁 = who; 哪些照片 = which photos; 哪些 = which; 哪张 = which photo;
        给我看看? = show me; 给我 = show me; 显示 = show me; 展示 = show me; 查找 = find; 找出 = find;
        找到? = find; 看看 = show me; 最后一次 = last; 最近一次 = last; 上一次 = last; 上次 = last;
        第一次 = first; 最早 = first; 最新 = newest; 最后 = last; 最近 = last; 照片 = photos; 相片 = photos;
        图片 = photos; 拍摄 = taken; 拍的 = taken; 拍了 = taken; 拍 = taken; 出现 = appear;
        有没有 = are there; 是否有 = are there; 有 =; 没有 = without; 不包括 = without; 除了 = except;
        或者 = or; 或 = or; 还是 = or; 和 = and; 与 = and; 跟 = and; 及 = and; 的 =; 在 = in; 从 = from;
        到 = to; 至 = to; 于 = in; 是 =; 了 =; 吗 =; 呢 =; 里 =; 中 =; 上 =; 我们 = we; 我 = i; 所有 = all;
        全部 = all; 一共 = in total; 总共 = in total; 一起 = together; 被 =; 请 = please; 都 =;
        去过 = visited; 去 = visited; 春节 =; 圣诞节 = at Christmas; 复活节 = at Easter;
        平安夜 = Christmas Eve; 春天 = in spring; 夏天 = in summer; 夏季 = in summer; 秋天 = in autumn;
        冬天 = in winter; 去年夏天 = last summer; 去年 = last year; 今年 = this year; 前年 = 2 years ago;
        昨天 = yesterday; 今天 = today; 上个月 = last month; 上周 = last week; 以后 = onwards;
        之后 = onwards; 以来 = onwards; 人 = people; 宠物 = pets; 地方 = places; 城市 = cities;
        早上 = in the morning; 上午 = in the morning; 中午 = at noon; 下午 = in the afternoon;
        晚上 = in the evening; 夜里 = at night; 国家 = countries; 相机 = cameras; 巴黎 = Paris;
        柏林 = Berlin; 里斯本 = Lisbon; 奈良 = Nara;
        东京 = Tokyo; 京都 = Kyoto; 北京 = Beijing; 上海 = Shanghai; 伦敦 = London; 纽约 = New York;
        法国 = France; 德国 = Germany; 日本 = Japan; 葡萄牙 = Portugal; 西班牙 = Spain; 意大利 = Italy;
        瑞士 = Switzerland; 中国 = China
    """,
    "ja": """
        写真は?何枚 = how many photos; 何枚の?写真が? = how many photos; 何枚 = how many photos;
        写真はいくつ = how many photos; 何回 = how often; 何人 = how many people; いつ = when;
        何年 = which year; どこ = where; 誰と = with whom; だれと = with whom; 誰 = who; だれ = who;
        どの写真 = which photos; どれ = which; 見せて(?:ください|下さい)? = show me;
        表示して(?:ください|下さい)? = show me; 探して(?:ください|下さい)? = find; 最後に = last;
        最後の = last; 最初に = first; 最初の = first; 初めて = first; 最新の = newest; 一番古い = oldest;
        最近の = newest; 写真 = photos; 画像 = photos; 撮影された = taken; 撮影した = taken;
        撮られた = taken; 撮られました = taken; 撮りました = taken; 撮った = taken; 撮影 = taken;
        写っている = shown; 写っていない = without; 写って = shown; 映っている = shown;
        ありますか = are there; あります = are there; ある =; いますか = is there; いました = was there;
        いる =; いた = was; ですか =; でした = was; です =; ますか =; ましたか =; ました =; ますか =; か =;
        または = or; もしくは = or; と一緒に = with; 一緒に = together; なしの = without; なしで = without;
        のいない = without; がいない = without; と = and; や = and; の =; が =; は =; に = in; で = in;
        を =; へ = to; も =; から = from; まで = until; 以降 = onwards; 以来 = onwards; 私たち = we; 私 = i;
        すべて = all; 全部 = all; 全て = all; 合計 = in total; 行きました = visited; 行った = visited;
        会いました = meet; 会った = meet; 見た = seen; クリスマス = at Christmas; イースター = at Easter;
        春 = in spring; 夏 = in summer; 秋 = in autumn; 冬 = in winter; 去年の夏 = last summer;
        昨年 = last year; 去年 = last year; 今年 = this year; 昨日 = yesterday; 今日 = today;
        朝に? = in the morning; 午前中?に? = in the morning; 午後に? = in the afternoon;
        夕方に? = in the evening; 晩に? = in the evening; 夜に? = at night; 先月 = last month;
        先週 = last week; 人 = people; ペット = pets; 場所 = places; 都市 = cities;
        国 = countries; カメラ = cameras; パリ = Paris; ベルリン = Berlin; リスボン = Lisbon; 奈良 = Nara;
        東京 = Tokyo; 京都 = Kyoto; 北京 = Beijing; ロンドン = London; フランス = France; ドイツ = Germany;
        日本 = Japan; ポルトガル = Portugal; スペイン = Spain; イタリア = Italy; スイス = Switzerland;
        ください = please; 下さい = please; さん =; ちゃん =; 君 =; くん = ( )
    """,
}
"""For each language "phrase = English", in which phrases are regular expressions; longer phrases go first."""

_TELLING: Mapping[str, str] = {
    "de":
        "wie viele|wie oft|wann|wo|wer|welche[nmrs]?|zeige?|fotos?|bilder|von|mit|ohne|und|oder|gibt"
        "|habe|der|die|das|ist|sind|waren|im|am|aus|zuletzt|mir|ich|finde|suche|mit wem|wurden?"
        "|weihnachten|hat|haben|meine[nr]?|auf|alle|den|dem|ein|eine|nicht|kein[e]?"
        "|war(?=\\s+[\U00100000-\U0010ffff])",
    "fr":
        "combien|quand|où|qui|quelles?|quels?|montre[z]?|affiche|trouve|photos|avec|sans|et|ou|en|dans"
        "|de|des|du|le|la|les|est|sont|y a|j'ai|ai|est-ce|moi|été|cherche|d'|l'|noël|pour|fois|ensemble"
        "|étaient|ils|elles|mes|au|aux|une|à|était",
    "es":
        "cu[áa]ntas|cu[áa]ntos|cu[áa]ndo|d[óo]nde|qui[ée]n|quienes|qu[ée]|mu[ée]strame|ens[ée]ñame"
        "|muestra|fotos|con|sin|y|en|de|del|el|la|los|las|hay|tengo|est[áa]|fue|fueron|busca|encuentra"
        "|una|navidad|vi|por|última|vez|mi|mis|se|salen?|al|verano|invierno|año",
    "it":
        "quante|quanti|quando|dove|dov|chi|quali|mostrami|fammi|mostra|foto|con|senza|nel|di|del|della"
        "|il|la|le|gli|ci sono|c'è|ho|è|stata|trova|cerca|che|una|natale|sono|stata|stato|l'ultima|volta"
        "|per|mie|al|era",
}  # fmt: skip
"""Words by which a language is recognized: one entry for each language of `_TABLES` that has an alphabet."""
_ENGLISH = (
    "how|many|when|where|who|which|what|show|find|list|photos?|pictures?|of|with|without|and|or|the|from"
    "|is|are|was|were|did|do"
    "|does|have|has|my|any|there|more|than|last|first|taken|not|at|been|ever|photo|in|on|by|to|for"
    "|country|city|no|me|i"
)
# How many, when, where, who, which, show and photos in other languages: Portuguese, Catalan, Dutch, Polish,
# Czech, Romanian, Swedish, Danish, Norwegian, Finnish, Hungarian, Turkish and Indonesian.
_OTHERS = frozenset(
    """
    quantas quantos quando onde quem quais mostra mostre fotografias fotografia quantes fotografies hoeveel
    wanneer waar foto fotos kiedy gdzie kto pokaż zdjęcia zdjęć zdjęciach zdjęcie kolik kdy kdo ukaž fotek
    fotky câte câți când unde cine poze arată hvor hvornår många när vem hvem vilka hvilke bilder billeder
    kuinka montako milloin missä näytä kuvat kuvaa hány mikor képek kép mutasd kaç nerede fotoğraf fotoğrafı
    fotoğraflar göster berapa kapan siapa tunjukkan
    """.split()  # noqa: SIM905 - a list literal would take a page
)
_PLACES = frozenset(
    """
    Austria Beijing Berlin China France Germany Greece Italy Japan Kyoto Lisbon London Nara Paris Portugal
    Rome Shanghai Spain Switzerland Tokyo Venice Vienna
    """.split()  # noqa: SIM905 - a list literal would take a page
) | {"New York"}
_DATES = frozenset(
    [*MONTHS, *SEASONS, "christmas", "christmas eve", "easter", "new year's eve", "new year's day"]
)
_ENOUGH = 2
_NAME_MARK = 0x100000


def to_english(text: str, names: Sequence[str], places: Collection[str] = ()) -> str:
    """Return an English question for one in another language that is known here; any other text as it is.

    Args:
        text: The question.
        names: Names of concepts, which are never translated.
        places: Places of the library; only their names are translated, as others may be in captions.
    """
    spans = name_spans(text, names)
    marked = write_over(
        text, ((start, end, chr(_NAME_MARK + index)) for index, (start, end, _) in enumerate(spans))
    )
    language = language_of(marked)
    if language is None:
        return text
    parts = {part.strip() for place in places for part in place.split(",")}
    english = _translate(marked, language, parts)
    for index, (start, end, _) in enumerate(spans):
        english = english.replace(chr(_NAME_MARK + index), f" {text[start:end]} ")
    return " ".join(re.sub(r"\s+([?.!,])", r"\1", english).split())


def language_of(text: str) -> str | None:
    """Return the code of the language a question seems to be in; None for English and all others."""
    if re.search(r"[\u3040-\u30ff]", text):
        return "ja"
    if re.search(r"[\u4e00-\u9fff]", text):
        is_question = re.search(r"[的吗呢谁哪几]|多少|什么|没有|给我|照片|相片|图片|显示|展示|找", text)
        has_cue = re.search(r"\b(?:photos?|show|find|how|when|where|who)\b", text, re.IGNORECASE)
        return "zh" if is_question and not has_cue else None
    folded = re.sub(r'"[^"]*"', " ", text.casefold())
    english = _score(_ENGLISH, folded)
    scores = {language: _score(words, folded) for language, words in _TELLING.items()}
    best = max(scores, key=lambda language: scores[language])
    starts = _starts_foreign(folded, best)
    score = scores[best] + starts
    is_clear = score > english or (score == english and starts)
    # Of "Anna und Ben" the one word is enough.
    rest = re.sub(rf"(?<!\w)(?:{_TELLING[best]})(?!\w)|[\U00100000-\U0010ffff]|\W", "", folded)
    return best if (score >= _ENOUGH or (score and not rest)) and is_clear else None


def dates_in_english(text: str) -> str:
    """Return a text with its months, seasons and holidays in English, whatever its other words are."""
    for language in _TELLING:
        for pattern, english in _table(language)[1]:
            if english.casefold() in _DATES:
                text = pattern.sub(english, text)
    return text


def has_english(text: str) -> bool:
    """Tell whether a text has a word that is likely English."""
    return _score(_ENGLISH, text.casefold()) > 0


def has_other_language(words: Collection[str]) -> bool:
    """Tell whether one of a question's words asks in a language that is not read here."""
    return not _OTHERS.isdisjoint(word.casefold() for word in words)


def _score(words: str, text: str) -> int:
    return len(
        re.findall(
            rf"(?<![\w])(?:{words})(?![\w])|(?<![\w])(?:d|l)'(?=\w)"
            if "d'" in words
            else rf"(?<![\w])(?:{words})(?![\w])",
            text,
        )
    )


def _starts_foreign(text: str, language: str) -> bool:
    is_foreign = re.match(rf"[¿¡\s]*(?:{_TELLING[language]})(?!\w)", text)
    return bool(is_foreign and not re.match(rf"\s*(?:{_ENGLISH})(?!\w)", text))


_compiled: dict[str, tuple[re.Pattern[str], list[tuple[re.Pattern[str], str]]]] = {}


def _table(language: str) -> tuple[re.Pattern[str], list[tuple[re.Pattern[str], str]]]:
    if language not in _compiled:
        entries = [entry.split("=", 1) for entry in _TABLES[language].split(";") if "=" in entry]
        pairs = [(phrase.strip(), english.strip()) for phrase, english in entries]
        pairs.sort(key=lambda pair: -len(re.sub(r"\(\?:|[)?\[\]|\\]", "", pair[0])))
        edge = ("", "") if language in {"zh", "ja"} else (r"(?<![\w'-])", r"(?![\w])")
        patterns = []
        for phrase, english in pairs:
            end = "" if phrase.endswith("'") else edge[1]
            patterns.append(
                (
                    re.compile(
                        f"{edge[0] if not phrase.startswith(chr(39)) else ''}(?:{phrase}){end}", re.IGNORECASE
                    ),
                    english,
                )
            )
        every = re.compile("|".join(pattern.pattern for pattern, _ in patterns), re.IGNORECASE)
        _compiled[language] = (every, patterns)
    return _compiled[language]


def _translate(text: str, language: str, places: Collection[str]) -> str:
    text = text.replace("¿", "").replace("¡", "")
    if language in {"zh", "ja"}:
        text = _cjk_dates(text)
    if language == "ja":
        text = _JAPANESE_WITHOUT.sub(r" without \1 ", text)
    every, patterns = _table(language)

    def english(match: re.Match[str]) -> str:
        for pattern, words in patterns:
            if pattern.fullmatch(match[0]):
                return match[0] if words in _PLACES and words not in places else f" {words} "
        return match[0]

    translated = every.sub(english, text)
    if language in {"zh", "ja"}:
        translated = _reorder(translated.replace("？", "?").replace("。", "."))
    return _tidy(" ".join(translated.split()))


# "Without" stands behind the names there.
_JAPANESE_WITHOUT = re.compile(
    "([\U00100000-\U0010ffff](?:[とや][\U00100000-\U0010ffff])*)"
    "(?:さん|ちゃん|君|くん)?(?:[のが]いない|なし[ので]|[のが]写っていない)"
)


def _cjk_dates(text: str) -> str:
    """Write 2023年7月3日 as an English date; 7月 alone is every July."""

    def written(match: re.Match[str]) -> str:
        year, month, day = match["year"], match["month"], match["day"]
        if year and not month:
            return f" in {year} "
        name = _MONTHS_ENGLISH[int(month) - 1] if 1 <= int(month) <= 12 else month
        return f" in {day or ''} {name} {year or ''} "

    digits = str.maketrans("０１２３４５６７８９", "0123456789")
    return re.sub(
        r"(?:(?P<year>(?:1[89]|2[01])\d\d)\s*年の?)?(?:\s*(?P<month>\d{1,2})\s*月(?:の)?(?:\s*(?P<day>\d{1,2})"
        r"\s*[日号])?)?(?<=[年月日号の])",
        lambda match: written(match) if match[0] and (match["year"] or match["month"]) else match[0],
        text.translate(digits),
    )


_QUESTION = (
    "(?:how many photos|how often|how many people|which photos|which year|with whom|who else|who is|when"
    "|where|who|are there|is there|show me|find|which photo)"
)


def _reorder(text: str) -> str:
    """Put the question words first, as English does."""
    text = " ".join(text.split())
    found = list(dict.fromkeys(re.findall(rf"\b{_QUESTION}\b", text)))
    if not found:
        return text
    rest = re.sub(rf"\b{_QUESTION}\b", " ", text)
    best = next((cue for cue in found if cue not in {"are there", "is there"}), found[0])
    return f"{best} {rest.rstrip('?. ')}"


def _tidy(text: str) -> str:
    """Write what was translated word by word as English does."""
    text = re.sub(r"^that are\b", "who are", text)
    text = re.sub(r"\b(neither\b[^?.!]*?) else\b", r"\1 nor", text)
    text = re.sub(r"\b(when|where|who|with whom|how often) do i have\b", r"\1 did i", text)
    text = re.sub(r"\b(from|in|at|on|of) (?=(?:from|in|at|on|since|until|before|after) )", "", text)
    text = re.sub(
        r"\b(?:the|my) (?=(?:last|first|newest|oldest|January|February|March|April|May|June|July|August"
        r"|September|October|November|December|\d{4})\b)",
        "",
        text,
    )
    text = re.sub(
        r"\b(\d{1,2}) (?:of|the) (?=(?:January|February|March|April|May|June|July|August|September"
        r"|October|November|December)\b)",
        r"\1 ",
        text,
    )
    text = re.sub(
        r"\b(January|February|March|April|May|June|July|August|September|October|November|December|spring"
        r"|summer|autumn|winter|Christmas|Easter) (?:of the|of|in) (?=\d{4})",
        r"\1 ",
        text,
    )
    text = re.sub(
        r"\b(\d{1,2})\. (?=(?:January|February|March|April|May|June|July|August|September|October"
        r"|November|December)\b)",
        r"\1 ",
        text,
    )
    return re.sub(r"\b(how many photos) (?:photos|are there are there)\b", r"\1", text)
