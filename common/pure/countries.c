#include "common/pure/regions.h"

#include <string.h>

/* ISO 3166-1, alpha-3 and numeric, as of 2026; sorted by alpha-3. */
/* clang-format off */
#define COUNTRIES(X) \
    X("ABW", 533) X("AFG", 4) X("AGO", 24) X("AIA", 660) X("ALA", 248) X("ALB", 8) X("AND", 20)  \
    X("ARE", 784) X("ARG", 32) X("ARM", 51) X("ASM", 16) X("ATA", 10) X("ATF", 260) X("ATG", 28) \
    X("AUS", 36) X("AUT", 40) X("AZE", 31) X("BDI", 108) X("BEL", 56) X("BEN", 204)              \
    X("BES", 535) X("BFA", 854) X("BGD", 50) X("BGR", 100) X("BHR", 48) X("BHS", 44)             \
    X("BIH", 70) X("BLM", 652) X("BLR", 112) X("BLZ", 84) X("BMU", 60) X("BOL", 68) X("BRA", 76) \
    X("BRB", 52) X("BRN", 96) X("BTN", 64) X("BVT", 74) X("BWA", 72) X("CAF", 140) X("CAN", 124) \
    X("CCK", 166) X("CHE", 756) X("CHL", 152) X("CHN", 156) X("CIV", 384) X("CMR", 120)          \
    X("COD", 180) X("COG", 178) X("COK", 184) X("COL", 170) X("COM", 174) X("CPV", 132)          \
    X("CRI", 188) X("CUB", 192) X("CUW", 531) X("CXR", 162) X("CYM", 136) X("CYP", 196)          \
    X("CZE", 203) X("DEU", 276) X("DJI", 262) X("DMA", 212) X("DNK", 208) X("DOM", 214)          \
    X("DZA", 12) X("ECU", 218) X("EGY", 818) X("ERI", 232) X("ESH", 732) X("ESP", 724)           \
    X("EST", 233) X("ETH", 231) X("FIN", 246) X("FJI", 242) X("FLK", 238) X("FRA", 250)          \
    X("FRO", 234) X("FSM", 583) X("GAB", 266) X("GBR", 826) X("GEO", 268) X("GGY", 831)          \
    X("GHA", 288) X("GIB", 292) X("GIN", 324) X("GLP", 312) X("GMB", 270) X("GNB", 624)          \
    X("GNQ", 226) X("GRC", 300) X("GRD", 308) X("GRL", 304) X("GTM", 320) X("GUF", 254)          \
    X("GUM", 316) X("GUY", 328) X("HKG", 344) X("HMD", 334) X("HND", 340) X("HRV", 191)          \
    X("HTI", 332) X("HUN", 348) X("IDN", 360) X("IMN", 833) X("IND", 356) X("IOT", 86)           \
    X("IRL", 372) X("IRN", 364) X("IRQ", 368) X("ISL", 352) X("ISR", 376) X("ITA", 380)          \
    X("JAM", 388) X("JEY", 832) X("JOR", 400) X("JPN", 392) X("KAZ", 398) X("KEN", 404)          \
    X("KGZ", 417) X("KHM", 116) X("KIR", 296) X("KNA", 659) X("KOR", 410) X("KWT", 414)          \
    X("LAO", 418) X("LBN", 422) X("LBR", 430) X("LBY", 434) X("LCA", 662) X("LIE", 438)          \
    X("LKA", 144) X("LSO", 426) X("LTU", 440) X("LUX", 442) X("LVA", 428) X("MAC", 446)          \
    X("MAF", 663) X("MAR", 504) X("MCO", 492) X("MDA", 498) X("MDG", 450) X("MDV", 462)          \
    X("MEX", 484) X("MHL", 584) X("MKD", 807) X("MLI", 466) X("MLT", 470) X("MMR", 104)          \
    X("MNE", 499) X("MNG", 496) X("MNP", 580) X("MOZ", 508) X("MRT", 478) X("MSR", 500)          \
    X("MTQ", 474) X("MUS", 480) X("MWI", 454) X("MYS", 458) X("MYT", 175) X("NAM", 516)          \
    X("NCL", 540) X("NER", 562) X("NFK", 574) X("NGA", 566) X("NIC", 558) X("NIU", 570)          \
    X("NLD", 528) X("NOR", 578) X("NPL", 524) X("NRU", 520) X("NZL", 554) X("OMN", 512)          \
    X("PAK", 586) X("PAN", 591) X("PCN", 612) X("PER", 604) X("PHL", 608) X("PLW", 585)          \
    X("PNG", 598) X("POL", 616) X("PRI", 630) X("PRK", 408) X("PRT", 620) X("PRY", 600)          \
    X("PSE", 275) X("PYF", 258) X("QAT", 634) X("REU", 638) X("ROU", 642) X("RUS", 643)          \
    X("RWA", 646) X("SAU", 682) X("SDN", 729) X("SEN", 686) X("SGP", 702) X("SGS", 239)          \
    X("SHN", 654) X("SJM", 744) X("SLB", 90) X("SLE", 694) X("SLV", 222) X("SMR", 674)           \
    X("SOM", 706) X("SPM", 666) X("SRB", 688) X("SSD", 728) X("STP", 678) X("SUR", 740)          \
    X("SVK", 703) X("SVN", 705) X("SWE", 752) X("SWZ", 748) X("SXM", 534) X("SYC", 690)          \
    X("SYR", 760) X("TCA", 796) X("TCD", 148) X("TGO", 768) X("THA", 764) X("TJK", 762)          \
    X("TKL", 772) X("TKM", 795) X("TLS", 626) X("TON", 776) X("TTO", 780) X("TUN", 788)          \
    X("TUR", 792) X("TUV", 798) X("TWN", 158) X("TZA", 834) X("UGA", 800) X("UKR", 804)          \
    X("UMI", 581) X("URY", 858) X("USA", 840) X("UZB", 860) X("VAT", 336) X("VCT", 670)          \
    X("VEN", 862) X("VGB", 92) X("VIR", 850) X("VNM", 704) X("VUT", 548) X("WLF", 876)           \
    X("WSM", 882) X("YEM", 887) X("ZAF", 710) X("ZMB", 894) X("ZWE", 716)
/* clang-format on */

struct country {
    char alpha3[4];
    uint16_t numeric;
};

static const struct country countries[] = {
#define X(alpha3, numeric) {alpha3, numeric},
    COUNTRIES(X)
#undef X
};

#define N (sizeof countries / sizeof countries[0])

bool cf_country_numeric_known(uint32_t code)
{
    for (size_t i = 0; i < N; i++)
        if (countries[i].numeric == code) return true;
    return false;
}

bool cf_country_alpha3_known(const char code[3])
{
    for (size_t i = 0; i < N; i++)
        if (memcmp(countries[i].alpha3, code, 3) == 0) return true;
    return false;
}
