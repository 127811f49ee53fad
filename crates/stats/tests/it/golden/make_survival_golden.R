# Writes survival_golden.json: survival statistics by the R packages survival and cmprsk.
#
#     Rscript make_survival_golden.R > survival_golden.json
#
# The subjects are made here from a fixed formula, with tied times, and written out beside the
# results, so that no other data is needed.

suppressMessages({library(survival); library(cmprsk)})

number <- function(v) ifelse(is.finite(v), format(v, digits = 15, trim = TRUE), "null")
list_of <- function(v) paste0("[", paste(number(as.numeric(v)), collapse = ","), "]")
out <- character()
put <- function(name, v) out <<- c(out, sprintf('"%s": %s', name, list_of(v)))

n <- 80
i <- 0:(n - 1)
noise <- function(k) (sin(i * 12.9898 + k) * 43758.5453) %% 1
x1 <- round(noise(0.3) * 20) / 10
x2 <- as.numeric(noise(4.1) < 0.4)
time <- 1 + round(-30 * log(noise(1.7)) * exp(-0.5 * x1))
cause <- ifelse(noise(2.9) < 0.45, 1, ifelse(noise(2.9) < 0.75, 2, 0))
event <- as.numeric(cause > 0)
cluster <- i %% 27
stratum <- i %% 3
for (name in c("x1", "x2", "time", "cause", "cluster", "stratum")) put(name, get(name))

for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(time, event) ~ x1 + x2, ties = ties, cluster = cluster)
  put(paste0(ties, "_coef"), coef(fit))
  put(paste0(ties, "_robust"), fit$var)
  put(paste0(ties, "_model"), fit$naive.var)
  put(paste0(ties, "_wald"), fit$wald.test)
  plain <- coxph(Surv(time, event) ~ x1 + x2, ties = ties)
  put(paste0(ties, "_martingale"), residuals(plain, "martingale"))
  put(paste0(ties, "_schoenfeld_sums"), colSums(abs(residuals(plain, "schoenfeld"))))
  for (transform in c("km", "identity", "log", "rank"))
    put(paste0(ties, "_zph_", transform), cox.zph(plain, transform)$table[, "chisq"])
  curve <- survfit(plain, newdata = data.frame(x1 = 0.5, x2 = 1))
  keep <- curve$n.event > 0
  put(paste0(ties, "_curve_time"), curve$time[keep])
  put(paste0(ties, "_curve_hazard"), curve$cumhaz[keep])
  put(paste0(ties, "_curve_error"), curve$std.err[keep])
}
fit <- coxph(Surv(time, event) ~ x1 + x2 + strata(stratum), cluster = cluster)
put("strata_coef", coef(fit))
put("strata_robust", fit$var)
put("strata_zph_km", cox.zph(coxph(Surv(time, event) ~ x1 + x2 + strata(stratum)))$table[, "chisq"])

harrell <- concordance(Surv(time, event) ~ x1, reverse = TRUE, cluster = cluster)
put("harrell", c(harrell$concordance, sqrt(harrell$var)))
uno <- concordance(Surv(time, event) ~ x1, reverse = TRUE, timewt = "n/G2", ymax = 29.5)
put("uno_29", c(uno$concordance, sqrt(uno$var)))
uno <- concordance(Surv(time, event) ~ x1, reverse = TRUE, timewt = "n/G2")
put("uno_all", c(uno$concordance, sqrt(uno$var)))

curve <- survfit(Surv(time, event) ~ 1, conf.type = "log-log")
put("quantiles", unlist(quantile(curve, c(0.1, 0.25, 0.5, 0.75))))
at <- summary(curve, times = c(5, 10, 20))
put("loglog", c(at$lower, at$upper))
curve <- survfit(Surv(time, event) ~ 1, conf.type = "plain")
at <- summary(curve, times = c(5, 10, 20))
put("plain", c(at$lower, at$upper))

states <- survfit(Surv(time, factor(cause)) ~ 1)
at <- summary(states, times = c(5, 10, 20, 30))
put("incidence", at$pstate[, 2])
put("incidence_error", at$std.err[, 2])
# cmprsk treats a censoring at the time of an event otherwise: it is compared without ties.
weighted <- finegray(Surv(time, factor(cause)) ~ x1 + x2, data = data.frame(time, cause, x1, x2))
fit <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x1 + x2, weights = fgwt, data = weighted,
             ties = "breslow", control = coxph.control(eps = 1e-13))
put("fine_gray_tied_coef", coef(fit))
put("fine_gray_tied_loglik", fit$loglik)
fit <- crr(time + i / 1024, cause, cbind(x1, x2), gtol = 1e-13)
put("fine_gray_untied_coef", fit$coef)
put("fine_gray_untied_variance", fit$var)
put("fine_gray_untied_loglik", c(fit$loglik.null, fit$loglik))
put("three", floor(noise(5.3) * 3))
for (rho in 0:1) {
  name <- paste0("gray_rho_", rho)
  put(paste0(name, "_pairs"), cuminc(time, cause, i %% 2, rho = rho)$Tests[, "stat"])
  put(paste0(name, "_three"), cuminc(time, cause, floor(noise(5.3) * 3), rho = rho)$Tests[, "stat"])
  put(paste0(name, "_untied"),
      cuminc(time + i / 1024, cause, floor(noise(5.3) * 3), rho = rho)$Tests[, "stat"])
}
put("gray_p", cuminc(time, cause, floor(noise(5.3) * 3))$Tests[, "pv"])
few <- cuminc(c(1, 1, 2, 2, 3, 3), c(1, 0, 1, 1, 0, 0), c(0, 1, 0, 0, 0, 1))$Tests[, "stat"]
tied <- cuminc(c(1, 2, 3, 5, 4, 4, 4, 5), c(1, 1, 1, 0, 1, 1, 1, 0), c(0, 0, 0, 0, 1, 1, 1, 1))
put("gray_few", c(few, tied$Tests[, "stat"]))
cat("{\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
